import type { Gate } from '@ruyi/flow';
import type { RedisClient, Script } from '@ruyi/redis';
import { untilServed } from '@ruyi/redis';
import { SCHEMA } from '../installation/schema.ts';
import { keys } from '../keys.ts';
import type { Shard } from '../shardTags.ts';
import { type AppendReply, parseAppendReply } from './appendReply.ts';

/** The job's lock is lost: another worker has it, and this one must not write any more. */
export class FencedError extends Error {
  override readonly name = 'FencedError';
}

/** The data has a schema that this version does not know: the process must not write any more. */
export class OutdatedError extends Error {
  override readonly name = 'OutdatedError';
}

/** What a run of a job brings along to prove that it may write. */
export interface JobRun {
  jobId: string;
  /** Extends the lock of the job; false if it is lost. */
  extendLock(): Promise<boolean>;
  /** Aborts when the process stops, and when the connection is lost: then the job is run once more from its start. */
  signal: AbortSignal;
  /** true from the 5th start of a job on: one item per call, so that a deadly one is found */
  careful: boolean;
  /** the trace of the run, noted with references to what it stores (outbox/reference.ts) */
  trace?: string | undefined;
}

interface Head {
  jobId: string;
  applied: number;
  /** items that Redis refused, by their number in the shard's part of the job */
  failed: number[];
}

const headText = (head: Head) => `${head.jobId} ${[head.applied, ...head.failed].join(',')}`;

function parseHead(text: string): Head {
  const space = text.lastIndexOf(' ');
  const [applied = 0, ...failed] = text
    .slice(space + 1)
    .split(',')
    .map(Number);
  return { jobId: text.slice(0, space), applied, failed };
}

/** The connection of a fence, and how often it was lost so far. */
export interface FenceConnection {
  redis: RedisClient;
  connectionLosses(): number;
}

/** How a job's items become script calls. */
interface FencedCall {
  /**
   * takes first the keys of the head and of the schema; and job id, expected head, items applied before, failed items and the
   * caller's schema
   */
  script: Script;
  /** how many items may be on their way */
  gate?: Gate;
  /** keys and arguments of one call, for items from..to-1 */
  build(from: number, to: number): { keys: string[]; args: (string | number)[] };
  /** told of each call that was applied, and of the number of its first item */
  applied(reply: AppendReply, from: number): void;
}

/** No head is equal to this, so the call returns the true one and writes nothing. */
const ASK = '?';

const EARLIER = 'refused by Redis in an earlier run of the job';

/**
 * The calls of one lane into the shards (invariant 1). Each shard holds the lane's head: the last job that wrote there, how
 * many of its items are applied, and which of them failed. For each shard the fence is in one of three states:
 *
 * - known: it remembers the head that its last call left. A call writes only if the head in Redis is the expected one, and
 *   sets the new head in the same step. It stays known.
 * - unknown: no call was made yet. A head that is absent in Redis is what the first job of a lane expects.
 * - in doubt: the connection was lost, or this job ran here before. The call expects no head at all, so it writes nothing and
 *   returns the true head.
 *
 * Whenever the true head is another one, the caller must extend its job's lock before it goes on from there. So a worker that
 * was frozen and lost its job never writes, and a second run of a job goes on behind what the first one applied.
 */
export class LaneFence {
  readonly #connection: FenceConnection;
  readonly #lane: string;
  readonly #heads = new Map<Shard, string>();
  /** what is expected if no head is known */
  #unknown = '';
  #losses = 0;
  #touched = new Set<string>();

  constructor(connection: FenceConnection, lane: string) {
    this.#connection = connection;
    this.#lane = lane;
  }

  headKey(shard: Shard): string {
    return keys.head(shard, this.#lane);
  }

  /** The heads of the shards that were written to since the last call, also by a run that has failed. */
  takeTouched(): string[] {
    const touched = [...this.#touched];
    this.#touched = new Set();
    return touched;
  }

  /**
   * Applies `count` items of a job in one shard, `size` per call, one call after the other.
   * @returns failed items by number, with the reason
   */
  async apply(
    run: JobRun,
    shard: Shard,
    items: { count: number; size: number },
    call: FencedCall,
  ): Promise<Map<number, string>> {
    this.#touched.add(this.headKey(shard));
    let expected = this.#expected(shard);
    // A second run in the same process, as after a lost lock. Redis says how far the first one came.
    if (parseHead(expected).jobId === run.jobId) expected = ASK;
    let reached: Head = { jobId: run.jobId, applied: 0, failed: [] };
    const failed = new Map<number, string>();
    let size = run.careful ? 1 : items.size;
    while (reached.applied < items.count) {
      const from = reached.applied;
      const to = Math.min(from + size, items.count);
      const { keys: callKeys, args } = call.build(from, to);
      const callArgs = [run.jobId, expected, from, reached.failed.join(','), SCHEMA, ...args];
      const script = () =>
        call.script(this.#connection.redis, [this.headKey(shard), keys.schema(shard), ...callKeys], callArgs);
      const send = () => (call.gate ? call.gate.run(script, to - from) : script());
      let reply: unknown;
      try {
        reply = await untilServed(send, run.signal);
      } catch (error) {
        if (run.signal.aborted || !(error instanceof Error)) throw error;
        if (error.message.startsWith('OUTDATED')) throw new OutdatedError(error.message);
        // Retrying cannot fix this error. One item per call: the bad one is isolated, the rest are stored.
        if (size > 1) size = 1;
        else {
          failed.set(from, error.message);
          reached = { jobId: run.jobId, applied: to, failed: [...failed.keys()] };
        }
        continue;
      }
      if (typeof reply === 'string') {
        if (!(await untilServed(() => run.extendLock(), run.signal))) {
          this.#heads.delete(shard);
          throw new FencedError(`job ${run.jobId} of ${this.#lane} is in other hands`);
        }
        expected = reply;
        const found = parseHead(reply);
        // This may be less than this run has applied, if Redis has forgotten some of it.
        reached = found.jobId === run.jobId ? found : { jobId: run.jobId, applied: 0, failed: [] };
        for (const index of failed.keys()) if (index >= reached.applied) failed.delete(index);
        for (const index of reached.failed) if (!failed.has(index)) failed.set(index, EARLIER);
      } else {
        const parsed = parseAppendReply(reply);
        for (const { index, reason } of parsed.failed) failed.set(from + index, reason);
        call.applied(parsed, from);
        reached = { jobId: run.jobId, applied: to, failed: [...failed.keys()].toSorted((a, b) => a - b) };
        expected = headText(reached);
      }
      this.#heads.set(shard, expected);
    }
    return failed;
  }

  /** A Redis that was away may have lost its last writes, so all heads are in doubt. */
  #expected(shard: Shard): string {
    const losses = this.#connection.connectionLosses();
    if (losses !== this.#losses) {
      this.#losses = losses;
      this.#heads.clear();
      this.#unknown = ASK;
    }
    return this.#heads.get(shard) ?? this.#unknown;
  }
}
