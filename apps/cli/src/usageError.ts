/** A command that cannot be meant: a wrong value, or two that exclude each other. Exit code 2. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}
