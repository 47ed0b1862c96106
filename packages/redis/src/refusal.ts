/**
 * Why Redis cannot be used as it is, however long one waits. The message is the one line for the operator: which
 * setting, what is wrong, what to do; never a password.
 */
export class RedisRefusal extends Error {
  override readonly name = 'RedisRefusal';
}
