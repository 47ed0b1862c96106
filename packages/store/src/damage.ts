import { CorruptError } from '@ruyi/contracts';
import { parseBroadcastKey, parseShardKey } from './keys.ts';

/** A key holds something that Ruyi never writes there: broken JSON, a counter that is not a number. */
export class DamagedError extends Error {
  override readonly name = 'DamagedError';
  constructor(
    message: string,
    readonly key?: string,
  ) {
    super(message);
  }
}

/** A key of the wrong type, or a counter that Redis itself cannot count with. */
const DAMAGED_REPLY = /WRONGTYPE|not an integer|not a valid float/;

/** Whether an error says that stored data is damaged. Retrying cannot fix it, and it is not a bug either. */
export function isDamage(error: unknown): error is Error {
  if (error instanceof CorruptError || error instanceof DamagedError) return true;
  return error instanceof Error && error.name === 'ReplyError' && DAMAGED_REPLY.test(error.message);
}

/** Does work that must not end because of one damaged key: the key stays as it is. */
export async function unlessDamaged(work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    if (!isDamage(error)) throw error;
  }
}

/**
 * Reads or changes what belongs to one conversation.
 * @param what a person would look for: `channel 2:room`, `user ann`
 * @throws CorruptError naming `what` if its data is damaged (docs/api.md §1, 500 `corrupt`)
 */
export async function readable<T>(what: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw isDamage(error) ? corrupt(what, error) : error;
  }
}

/** The answer for damage that was noticed without knowing whose data it is: the key in the failed command tells. */
export function corruptOf(error: unknown): CorruptError | undefined {
  if (!isDamage(error)) return undefined;
  return corrupt(ownerOf(error), error);
}

function corrupt(what: string, cause: Error): CorruptError {
  if (cause instanceof CorruptError) return cause;
  const key = damagedKey(cause);
  const place = key === undefined ? '' : `, found at ${key}`;
  const error = new CorruptError(
    `${what}: its data in Redis is damaged (${cause.message}${place}); repair or remove it`,
  );
  error.cause = cause;
  return error;
}

const OWNERS: Record<string, string> = {
  seq: 'channel',
  log: 'channel',
  sub: 'channel',
  chan: 'channel',
  in: 'user',
  inseq: 'user',
  cur: 'user',
  groups: 'user',
  user: 'user',
};

const PARTS_OF_BATCH = ['body', 'gone', 'late', 'progress'];

/** Whose key it is, from its name (keys.ts). */
function ownerOf(error: Error): string {
  const key = damagedKey(error) ?? '';
  const { kind = '', name } = parseShardKey(key) ?? {};
  const owner = OWNERS[kind];
  if (owner !== undefined && name !== undefined) return `${owner} ${name}`;
  const { ref, part = '' } = parseBroadcastKey(key) ?? {};
  if (ref !== undefined && PARTS_OF_BATCH.includes(part)) return `batch ${ref}`;
  if (kind === 'idem' && name !== undefined) return 'the record of a client_msg_no';
  return key === '' ? 'what this request reads' : `the key ${key}`;
}

/** The key that is damaged: the first one of Ruyi in the command that failed; ioredis keeps the command with its error. */
export function damagedKey(error: Error): string | undefined {
  if (error instanceof CorruptError) return error.cause instanceof Error ? damagedKey(error.cause) : undefined;
  if (error instanceof DamagedError) return error.key;
  if (!('command' in error) || typeof error.command !== 'object' || error.command === null) return undefined;
  const { command } = error;
  if (!('args' in command) || !Array.isArray(command.args)) return undefined;
  return command.args.map(String).find((arg) => arg.startsWith('r:{'));
}
