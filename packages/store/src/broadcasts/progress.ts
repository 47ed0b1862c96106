import type { BatchProgress } from '@ruyi/contracts';
import { execute, loadScript, type RedisClient, serverClock } from '@ruyi/redis';
import { DamagedError, readable } from '../damage.ts';
import { parseJson } from '../entries.ts';
import { keys } from '../keys.ts';
import { packPositions, unpackPositions } from './positions.ts';

const noteChunks = loadScript(import.meta.url, 'note-chunks');

const KEEP_SECONDS = 7 * 86_400;
const GROUP_COMMAND_KEEP_SECONDS = 3600;

/** The receipt of an accepted batch, kept so that a repeat of the request gets the first answer. */
export interface BatchReceipt {
  total: number;
  /** false with no_persist, or if every uid was refused: done at once */
  toStore: boolean;
  createdAt: number;
  /** position of the recipient that the request names first */
  firstAt: number;
  refused: Refused;
}

/**
 * Who was refused, and why: rising positions in the sorted list of the request's different strings, because the strings
 * themselves have no bound. Earlier versions kept the strings.
 */
export type Refused = { invalid: number[]; unknown: number[] } | { fail_uids: string[]; reason: string[] };

/** A receipt as it lies in Redis. */
type Packed = Omit<BatchReceipt, 'refused'> & {
  refused: { invalid?: string; unknown?: string } | { fail_uids: string[]; reason: string[] };
};

function pack({ refused, ...receipt }: BatchReceipt): string {
  const packed: Packed = { ...receipt, refused: 'fail_uids' in refused ? refused : packRefused(refused) };
  return JSON.stringify(packed);
}

const packRefused = ({ invalid, unknown }: { invalid: number[]; unknown: number[] }) => ({
  ...(invalid.length > 0 ? { invalid: packPositions(invalid) } : {}),
  ...(unknown.length > 0 ? { unknown: packPositions(unknown) } : {}),
});

/** @throws DamagedError */
function unpack(text: string): BatchReceipt {
  const { refused, ...receipt } = packedOf(text);
  if ('fail_uids' in refused) return { ...receipt, refused };
  const { invalid = '', unknown = '' } = refused;
  return { ...receipt, refused: { invalid: unpackPositions(invalid), unknown: unpackPositions(unknown) } };
}

/**
 * How far a broadcast is. One hash: `plan` (its receipt), and per chunk `s<chunk>` = recipients handled `:` seconds, `i<chunk>` =
 * recipients indexed; per recipient who became a dead letter `f<position>`, and `ir<position>` once it was served after all and
 * can find it. A replay sets the same fields and adds nothing.
 */
export class Progress {
  readonly #redis: RedisClient;
  readonly #keep: number;

  constructor(redis: RedisClient, idempotencyTtl: number) {
    this.#redis = redis;
    // Chunks that are done must be known for as long as a client may repeat the batch.
    this.#keep = Math.max(KEEP_SECONDS, idempotencyTtl + 3600);
  }

  /** Keeps the receipt of a batch. @returns the first receipt, if there are several */
  async open(ref: string, receipt: BatchReceipt): Promise<BatchReceipt> {
    const key = keys.progress(ref);
    const pipeline = this.#redis.multi().hsetnx(key, 'plan', pack(receipt)).expire(key, this.#keep).hget(key, 'plan');
    return readable(`batch ${ref}`, async () => unpack(String((await execute(pipeline))[2])));
  }

  /** Which of these chunks are stored already. */
  async stored(ref: string, chunks: number[]): Promise<Set<number>> {
    const values = await this.#redis.hmget(keys.progress(ref), ...chunks.map((chunk) => `s${chunk}`));
    return new Set(chunks.filter((_, i) => values[i] != null));
  }

  /**
   * Of each of these chunks that is stored: its recipients, and when that was, in seconds of Redis' clock. undefined if the
   * broadcast is not known any more.
   */
  async storedAt(ref: string, chunks: number[]): Promise<Map<number, { size: number; storedAt: number }> | undefined> {
    const fields = chunks.map((chunk) => `s${chunk}`);
    const [plan, ...values] = await this.#redis.hmget(keys.progress(ref), 'plan', ...fields);
    if (plan == null) return undefined;
    return new Map(
      chunks.flatMap((chunk, i) => {
        const [size, seconds] = (values[i] ?? '').split(':');
        return seconds === undefined ? [] : [[chunk, { size: Number(size), storedAt: Number(seconds) }]];
      }),
    );
  }

  /** Chunks are stored, but for the recipients at `failed`, who became dead letters. */
  async chunksStored(ref: string, chunks: { chunk: number; size: number }[], failed: number[]): Promise<void> {
    // Redis' clock is the same for all workers, and a rebuild compares this time with its own beginning.
    const sizes = chunks.flatMap(({ chunk, size }) => [chunk, size]);
    const args = [this.#keep, chunks.length, ...sizes, ...failed];
    await noteChunks(this.#redis, [keys.progress(ref)], args);
  }

  /** Recipients that became dead letters are served now. */
  async recovered(ref: string, positions: number[]): Promise<void> {
    if (positions.length > 0)
      await this.#redis.hdel(keys.progress(ref), ...positions.map((position) => `f${position}`));
  }

  async chunksIndexed(ref: string, chunks: { chunk: number; size: number }[]): Promise<void> {
    await this.#set(ref, new Map(chunks.map(({ chunk, size }) => [`i${chunk}`, String(size)])));
  }

  /** Late recipients (lateRecipients.ts) can find it, each by a document of its own. */
  async recipientsIndexed(ref: string, positions: number[]): Promise<void> {
    if (positions.length > 0) await this.#set(ref, new Map(positions.map((position) => [`ir${position}`, '1'])));
  }

  /** A group command reached everyone. It is remembered until its job is gone; nobody asks for its progress. */
  async groupCommandStored(ref: string, total: number): Promise<void> {
    await this.#set(ref, new Map([['s0', `${total}:${await serverClock(this.#redis)}`]]), GROUP_COMMAND_KEEP_SECONDS);
  }

  async #set(ref: string, fields: Map<string, string>, keepSeconds = this.#keep): Promise<void> {
    const key = keys.progress(ref);
    await execute(this.#redis.multi().hset(key, fields).expire(key, keepSeconds));
  }

  /** GET /message/sendbatch/{batch_no}; undefined if no such batch is known (any more). */
  async read(ref: string): Promise<BatchProgress | undefined> {
    return readable(`batch ${ref}`, () => this.#read(ref));
  }

  async #read(ref: string): Promise<BatchProgress | undefined> {
    const fields = await this.#redis.hgetall(keys.progress(ref));
    if (fields.plan === undefined) return undefined;
    const plan = packedOf(fields.plan);
    let handled = 0;
    let failed = 0;
    let indexed = 0;
    let last = 0;
    for (const [field, value] of Object.entries(fields)) {
      if (field === 'plan') continue;
      if (field.startsWith('f')) failed++;
      else if (field.startsWith('i')) indexed += Number(value);
      else {
        const [size, seconds] = value.split(':');
        handled += Number(size);
        last = Math.max(last, Number(seconds));
      }
    }
    if (!Number.isInteger(handled + indexed + last)) throw new DamagedError('its progress is no number');
    const finished = !plan.toStore || handled >= plan.total;
    return {
      batch_no: ref,
      total: plan.total,
      stored: handled - failed,
      failed,
      // What an earlier version noted counts those who became dead letters.
      indexed: Math.min(indexed, handled - failed),
      state: !finished ? (handled > 0 ? 'running' : 'queued') : failed > 0 && failed === plan.total ? 'failed' : 'done',
      created_at: plan.createdAt,
      finished_at: finished ? last || plan.createdAt : 0,
    };
  }
}

/** @throws DamagedError */
function packedOf(text: string): Packed {
  const receipt = parseJson(text);
  if (!isPacked(receipt)) throw new DamagedError('its plan is none');
  return receipt;
}

const isPacked = (value: unknown): value is Packed =>
  typeof value === 'object' &&
  value !== null &&
  'total' in value &&
  Number.isInteger(value.total) &&
  'toStore' in value &&
  'createdAt' in value &&
  Number.isInteger(value.createdAt) &&
  'refused' in value &&
  typeof value.refused === 'object' &&
  value.refused !== null;
