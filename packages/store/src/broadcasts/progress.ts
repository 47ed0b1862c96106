import type { BatchProgress } from '@ruyi/contracts';
import { execute, loadScript, type RedisClient, serverClock } from '@ruyi/redis';
import { DamagedError, readable } from '../damage.ts';
import { parseJson } from '../entries.ts';
import { keys } from '../keys.ts';
import { packPositions, unpackPositions } from './positions.ts';

const openProgress = loadScript(import.meta.url, 'open-progress');
const noteChunks = loadScript(import.meta.url, 'note-chunks');
const noteIndexed = loadScript(import.meta.url, 'note-indexed');
const noteRecovered = loadScript(import.meta.url, 'note-recovered');

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
  /** the number of lanes that the recipients were cut for; absent in what an earlier version wrote */
  lanes?: number;
  refused: Refused;
  /** its sender, absent in receipts of earlier versions */
  from?: string;
  /** strings that were refused, absent in receipts of earlier versions */
  invalid?: number;
}

/** A recipient who became a dead letter. */
export interface FailedNote {
  position: number;
  uid: string;
  reason: string;
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
 * can find it. A replay sets the same fields and adds nothing. `=h`, `=f`, `=i` are the sums of the first three, `=t` the last
 * time; `held` keeps the hash until it is released.
 */
export class Progress {
  readonly #redis: RedisClient;
  readonly #keep: number;

  constructor(redis: RedisClient, idempotencyTtl: number) {
    this.#redis = redis;
    // Chunks that are done must be known for as long as a client may repeat the batch.
    this.#keep = Math.max(KEEP_SECONDS, idempotencyTtl + 3600);
  }

  /**
   * Keeps the receipt of a batch.
   * @param isHeld keeps it until it is released, however long that takes
   * @returns the first receipt, if there are several
   */
  async open(ref: string, receipt: BatchReceipt, isHeld = false): Promise<BatchReceipt> {
    const args = [pack(receipt), this.#keep, isHeld ? 1 : 0];
    return readable(`batch ${ref}`, async () =>
      unpack(String(await openProgress(this.#redis, [keys.progress(ref)], args))),
    );
  }

  /** A broadcast has ended: its progress goes after this time. */
  async release(ref: string, keepSeconds: number): Promise<void> {
    const key = keys.progress(ref);
    await execute(this.#redis.multi().hdel(key, 'held').expire(key, keepSeconds));
  }

  /** A broadcast that has ended goes on: its progress is held again. */
  async hold(ref: string): Promise<void> {
    const key = keys.progress(ref);
    await execute(this.#redis.multi().hset(key, 'held', 1).persist(key));
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

  /** Chunks are stored, but for the recipients who became dead letters. */
  async chunksStored(ref: string, chunks: { chunk: number; size: number }[], failed: FailedNote[]): Promise<void> {
    // Redis' clock is the same for all workers, and a rebuild compares this time with its own beginning.
    const sizes = chunks.flatMap(({ chunk, size }) => [chunk, size]);
    const notes = failed.flatMap(({ position, uid, reason }) => [position, JSON.stringify({ uid, reason })]);
    await noteChunks(this.#redis, [keys.progress(ref)], [this.#keep, chunks.length, ...sizes, ...notes]);
  }

  /** Recipients that became dead letters are served now. */
  async recovered(ref: string, positions: number[]): Promise<void> {
    if (positions.length > 0) await noteRecovered(this.#redis, [keys.progress(ref)], positions);
  }

  /** Those of the positions whose recipients are dead letters. */
  async failedAmong(ref: string, positions: number[]): Promise<Set<number>> {
    if (positions.length === 0) return new Set();
    const notes = await this.#redis.hmget(keys.progress(ref), ...positions.map((position) => `f${position}`));
    return new Set(positions.filter((_, i) => notes[i] != null));
  }

  async chunksIndexed(ref: string, chunks: { chunk: number; size: number }[]): Promise<void> {
    await this.#indexed(
      ref,
      chunks.map(({ chunk, size }) => [`i${chunk}`, size]),
    );
  }

  /** Late recipients (lateRecipients.ts) can find it, each by a document of its own. */
  async recipientsIndexed(ref: string, positions: number[]): Promise<void> {
    await this.#indexed(
      ref,
      positions.map((position) => [`ir${position}`, 1]),
    );
  }

  async #indexed(ref: string, parts: [field: string, recipients: number][]): Promise<void> {
    if (parts.length > 0) await noteIndexed(this.#redis, [keys.progress(ref)], [this.#keep, ...parts.flat()]);
  }

  /** Who became a dead letter, in no order; what is not known of them is ''. */
  async *failures(ref: string): AsyncGenerator<{ uid: string; reason: string; at: number }> {
    const seen = new Set<string>();
    let cursor = '0';
    do {
      const [next, found] = await this.#redis.hscan(keys.progress(ref), cursor, 'MATCH', 'f*', 'COUNT', 500);
      for (let i = 0; i < found.length; i += 2) {
        const [field = '', note = ''] = [found[i], found[i + 1]];
        // A scan may name a field twice.
        if (seen.has(field)) continue;
        seen.add(field);
        yield failureOf(note);
      }
      cursor = next;
    } while (cursor !== '0');
  }

  /** A group command reached everyone. It is remembered until its job is gone; nobody asks for its progress. */
  async groupCommandStored(ref: string, total: number): Promise<void> {
    const key = keys.progress(ref);
    const stored = `${total}:${await serverClock(this.#redis)}`;
    await execute(this.#redis.multi().hset(key, 's0', stored).expire(key, GROUP_COMMAND_KEEP_SECONDS));
  }

  /** GET /message/sendbatch/{batch_no}; undefined if no such batch is known (any more). */
  async read(ref: string): Promise<BatchProgress | undefined> {
    return readable(`batch ${ref}`, () => this.#read(ref));
  }

  async #read(ref: string): Promise<BatchProgress | undefined> {
    const [text, ...kept] = await this.#redis.hmget(keys.progress(ref), 'plan', '=h', '=f', '=i', '=t');
    if (text == null) return undefined;
    const plan = packedOf(text);
    const [handled = 0, failed = 0, indexed = 0, last = 0] =
      kept[0] == null ? await this.#sums(ref) : kept.map((sum) => Number(sum));
    if (!Number.isInteger(handled + failed + indexed + last)) throw new DamagedError('its progress is no number');
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

  /** Of a batch that an earlier version began: recipients handled, failed and indexed, and when the last was handled. */
  async #sums(ref: string): Promise<number[]> {
    let [handled, failed, indexed, last] = [0, 0, 0, 0];
    for (const [field, value] of Object.entries(await this.#redis.hgetall(keys.progress(ref)))) {
      if (field.startsWith('f')) failed++;
      else if (field.startsWith('i')) indexed += Number(value);
      else if (field.startsWith('s')) {
        const [size, seconds] = value.split(':');
        handled += Number(size);
        last = Math.max(last, Number(seconds));
      }
    }
    return [handled, failed, indexed, last];
  }

  /** What a batch was accepted as, for the list of broadcasts; undefined if it is not known (any more). */
  async receipt(ref: string): Promise<BatchReceipt | undefined> {
    return readable(`batch ${ref}`, async () => {
      const text = await this.#redis.hget(keys.progress(ref), 'plan');
      return text === null ? undefined : unpack(text);
    });
  }
}

/** `<seconds>:<JSON>`; an earlier version kept '1'. */
function failureOf(note: string): { uid: string; reason: string; at: number } {
  const colon = note.indexOf(':');
  const known = colon < 0 ? undefined : parseJson(note.slice(colon + 1));
  const text = (name: string) =>
    typeof known === 'object' && known !== null ? String(Reflect.get(known, name) ?? '') : '';
  return { uid: text('uid'), reason: text('reason'), at: colon < 0 ? 0 : Number(note.slice(0, colon)) };
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
