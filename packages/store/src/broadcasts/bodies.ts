import { MessageBody } from '@ruyi/contracts';
import { groupBy } from '@ruyi/flow';
import { loadScript, type RedisClient } from '@ruyi/redis';
import { LRUCache } from 'lru-cache';
import { DamagedError, isDamage } from '../damage.ts';
import { firstIdOf, parseJson } from '../entries.ts';
import { keys } from '../keys.ts';
import { type Cut, startsOf } from './chunks.ts';

const writeBody = loadScript(import.meta.url, 'write-body');
const setTotal = loadScript(import.meta.url, 'set-total');
const markGone = loadScript(import.meta.url, 'mark-gone');

/** A broadcast as it is stored once: what all recipients share, and how it was cut. */
export interface Broadcast {
  body: MessageBody;
  /** each recipient's message has an id of its own (batch), or all share one (group command) */
  kind: 'batch' | 'group';
  /** of a group command: the channel's name */
  ch?: string;
  cmd: boolean;
  /** position of the first recipient of each chunk of a batch, for rebuilding its documents */
  starts: number[];
}

/** A broadcast to be written: its chunks by their starts, or by the rule that gives them, which is shorter. */
export type NewBroadcast = Omit<Broadcast, 'starts'> & ({ starts: number[] } | { cut: Cut });

/** A body counts as abandoned if no job that refers to it is queued within this time. */
const UNCONFIRMED_SECONDS = 3600;
const CACHE_BYTES = 32 * 1024 * 1024;

/** Bodies of broadcasts, each stored once for all recipients. They never change, so readers cache them. */
export class Bodies {
  readonly #redis: RedisClient;
  readonly #cache = new LRUCache<string, Broadcast>({
    maxSize: CACHE_BYTES,
    sizeCalculation: (broadcast) => broadcast.body.payload.length + 8 * broadcast.starts.length + 500,
  });

  constructor(redis: RedisClient) {
    this.#redis = redis;
  }

  /**
   * Writes a body before its jobs are queued, unless it exists. It expires after an hour unless `confirm` follows, so an API
   * process that dies in between leaves nothing behind.
   */
  async write(ref: string, broadcast: NewBroadcast, total: number): Promise<void> {
    const { payload, ...rest } = broadcast.body;
    const { body: _, ...shape } = broadcast;
    const meta = JSON.stringify({ ...rest, ...shape });
    await writeBody(this.#redis, [keys.body(ref)], [meta, payload, total, UNCONFIRMED_SECONDS]);
  }

  /** Call it once every job of the broadcast is queued, or one is being stored: the body stays until the message expires. */
  async confirm(ref: string, body: MessageBody): Promise<void> {
    const key = keys.body(ref);
    // A day longer than needed: readers judge by the message's own time, and this only frees the memory.
    if (body.exp) await this.#redis.expireat(key, body.ts + body.exp + 86_400);
    else await this.#redis.persist(key);
  }

  /**
   * Sets how many entries refer to a body: of a group command that is known only when it is expanded, of a broadcast that was
   * cancelled when it has ended. A body that is gone stays so.
   */
  async setTotal(ref: string, total: number): Promise<void> {
    await setTotal(this.#redis, [keys.body(ref)], [total]);
  }

  async remove(ref: string): Promise<void> {
    await this.#redis.del(keys.body(ref), keys.gone(ref));
  }

  /** The body of one recipient's message is that of the broadcast with its own message_id. */
  static bodyAt(broadcast: Broadcast, position: number): MessageBody {
    return broadcast.kind === 'group' ? broadcast.body : { ...broadcast.body, id: broadcast.body.id + position };
  }

  /** Those of the bodies that exist. */
  async read(refs: Iterable<string>): Promise<Map<string, Broadcast>> {
    const found = new Map<string, Broadcast>();
    const missing: string[] = [];
    for (const ref of new Set(refs)) {
      const cached = this.#cache.get(ref);
      if (cached) found.set(ref, cached);
      else missing.push(ref);
    }
    await Promise.all(
      missing.map(async (ref) => {
        const [meta, payload] = await this.#redis.hmget(keys.body(ref), 'm', 'p');
        if (meta == null || payload == null) return;
        const broadcast = parse(ref, meta, payload);
        this.#cache.set(ref, broadcast);
        found.set(ref, broadcast);
      }),
    );
    return found;
  }

  /**
   * Counts down bodies whose entries are about to be trimmed; with its last entry a body is deleted. Marks come before the
   * trim, so a crash in between repeats a mark and never leaves a body that nothing refers to.
   */
  async markGone(references: { ref: string; position: number }[]): Promise<void> {
    const byRef = groupBy(references, ({ ref }) => ref);
    await Promise.all(
      [...byRef].map(async ([ref, entries]) => {
        const args = entries.map(({ position }) => position);
        const went = await markGone(this.#redis, [keys.body(ref), keys.gone(ref), keys.late(ref)], args).catch(
          (error: unknown) => {
            // A damaged body cannot be counted down. It stays, but other entries must still be trimmed.
            if (!isDamage(error)) throw error;
          },
        );
        if (went === 1) this.#cache.delete(ref);
      }),
    );
  }
}

/** @throws DamagedError */
function parse(ref: string, meta: string, payload: string): Broadcast {
  const stored = parseJson(meta);
  if (!isShape(stored)) throw new DamagedError(`the body of broadcast ${ref} is no body`);
  const body = MessageBody.safeParse({ ...stored, id: firstIdOf(ref), payload });
  if (!body.success) throw new DamagedError(`the body of broadcast ${ref} is no message`);
  const { kind, ch, cmd } = stored;
  const starts = 'cut' in stored ? startsOf(stored.cut) : stored.starts;
  return { body: body.data, kind, cmd, starts, ...(ch === undefined ? {} : { ch }) };
}

const isShape = (value: unknown): value is Omit<NewBroadcast, 'body'> & ({ starts: number[] } | { cut: Cut }) =>
  typeof value === 'object' &&
  value !== null &&
  'kind' in value &&
  (value.kind === 'batch' || value.kind === 'group') &&
  (!('ch' in value) || typeof value.ch === 'string') &&
  'cmd' in value &&
  typeof value.cmd === 'boolean' &&
  ('cut' in value ? isCut(value.cut) : 'starts' in value && areNumbers(value.starts));

const isCut = (value: unknown): value is Cut =>
  typeof value === 'object' &&
  value !== null &&
  'counts' in value &&
  areNumbers(value.counts) &&
  'most' in value &&
  typeof value.most === 'number' &&
  value.most > 0;

const areNumbers = (value: unknown): value is number[] =>
  Array.isArray(value) && value.every((number) => typeof number === 'number');
