import type { Gate } from '@ruyi/flow';
import type { Script } from '@ruyi/redis';
import { untilServed } from '@ruyi/redis';
import type { Redis } from 'ioredis';

/** The job's lock is lost: another worker has it, and this one must not write any more. */
export class FencedError extends Error {
  override readonly name = 'FencedError';
}

/** What a run of a job brings along to prove that it may write. */
export interface JobRun {
  jobId: string;
  /** Extends the lock of the job; false where it is lost. */
  extendLock(): Promise<boolean>;
  /** Aborts when the process stops, and when the connection is lost: then the job is run once more from its start. */
  signal: AbortSignal;
  /** true from the 5th start of a job on: one item a call, so that a deadly one is found */
  careful: boolean;
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

/** What one script call gave back beyond the head check. */
export interface CallOutcome {
  /** items that Redis refused: number within the call, reason */
  failed: { index: number; reason: string }[];
}

/** The connection of a fence, and how often it was lost so far. */
export interface FenceConnection {
  redis: Redis;
  connectionLosses(): number;
}

/** Is no head: the call is answered with the true one, and goes on only if the job's lock is still held. */
const ASK = '?';

const EARLIER = 'refused by Redis in an earlier run of the job';

/**
 * The calls of one lane into the shards (invariant 1). Each shard holds the lane's head: the last job that wrote there,
 * and how many of the job's items. A script writes only where the head is the one that the caller expects; otherwise
 * the caller first extends its lock, so a worker that was frozen and lost its job writes nothing, and a second run of a
 * job goes on behind what the first one applied.
 */
export class LaneFence {
  readonly #connection: FenceConnection;
  readonly #lane: string;
  readonly #heads = new Map<number, string>();
  /** what is expected where no head is known */
  #unknown = '';
  #losses = 0;

  constructor(connection: FenceConnection, lane: string) {
    this.#connection = connection;
    this.#lane = lane;
  }

  get lane(): string {
    return this.#lane;
  }

  /**
   * Applies `count` items of a job in one shard, `size` a call, one call after the other.
   * @param call keys and arguments of one call, for items from..to-1; and what its reply says
   * @returns failed items by number, with the reason
   */
  async apply(
    run: JobRun,
    shard: number,
    headKey: string,
    items: { count: number; size: number },
    call: {
      script: Script;
      /** how many items may be on their way */
      gate?: Gate;
      build(from: number, to: number): { keys: string[]; args: (string | number)[] };
      read(reply: unknown[], from: number): CallOutcome;
    },
  ): Promise<Map<number, string>> {
    let expected = this.#expected(shard);
    // A second run in the same process, as after a lock that was lost: Redis says how far the first one came.
    if (parseHead(expected).jobId === run.jobId) expected = ASK;
    let own: Head = { jobId: run.jobId, applied: 0, failed: [] };
    const failed = new Map<number, string>();
    let size = run.careful ? 1 : items.size;
    while (own.applied < items.count) {
      const from = own.applied;
      const to = Math.min(from + size, items.count);
      const { keys, args } = call.build(from, to);
      const callArgs = [run.jobId, expected, from, own.failed.join(','), ...args];
      const script = () => call.script(this.#connection.redis, [headKey, ...keys], callArgs);
      const send = () => (call.gate ? call.gate.run(script, to - from) : script());
      let reply: unknown;
      try {
        reply = await untilServed(send, run.signal);
      } catch (error) {
        if (run.signal.aborted || !(error instanceof Error)) throw error;
        // No repetition heals this call. One item a call finds the one that it is about; the others are stored.
        if (size > 1) size = 1;
        else {
          failed.set(from, error.message);
          own = { jobId: run.jobId, applied: to, failed: [...failed.keys()] };
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
        // Less than this run has applied where Redis has forgotten some of it.
        own = found.jobId === run.jobId ? found : { jobId: run.jobId, applied: 0, failed: [] };
        for (const index of failed.keys()) if (index >= own.applied) failed.delete(index);
        for (const index of own.failed) if (!failed.has(index)) failed.set(index, EARLIER);
      } else {
        const outcome = call.read(Array.isArray(reply) ? reply : [], from);
        for (const { index, reason } of outcome.failed) failed.set(from + index, reason);
        own = { jobId: run.jobId, applied: to, failed: [...failed.keys()].toSorted((a, b) => a - b) };
        expected = headText(own);
      }
      this.#heads.set(shard, expected);
    }
    return failed;
  }

  /** A Redis that was away may be an older one: its heads are asked for again, and the lock is looked at. */
  #expected(shard: number): string {
    const losses = this.#connection.connectionLosses();
    if (losses !== this.#losses) {
      this.#losses = losses;
      this.#heads.clear();
      this.#unknown = ASK;
    }
    return this.#heads.get(shard) ?? this.#unknown;
  }
}
