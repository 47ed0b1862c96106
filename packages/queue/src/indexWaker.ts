import { groupBy } from '@ruyi/flow';
import type { Shard, Shards } from '@ruyi/store';
import { WAKE, type WakePage } from './jobs.ts';
import type { Queues } from './queues.ts';

/**
 * Shards whose outboxes are looked at together. A job of a lane writes to shards of one group if there are as many lanes, so one
 * wake-up serves all of them.
 */
const GROUPS = 8;

/** Finished wake-ups are kept for people who watch the board; failed ones, too, because another one follows each second. */
const KEPT = 20;

/** The group of a shard, by its number. */
export const groupOf = (shard: number): number => shard % GROUPS;

/** The shards of a group. */
export const shardsOfGroup = ({ tags }: Shards, group: number): Shard[] =>
  tags.filter((_, number) => groupOf(number) === group);

const deduplicationId = (group: number) => `group-${group}`;

/**
 * Wakes an indexer for a group of outboxes. A wake-up that comes while another one waits adds nothing; one that comes while
 * another is being worked follows it. It belongs to no trace: the references tell theirs.
 */
export async function wakeIndexer({ index, tracing }: Queues, group: number, pages: WakePage[] = []): Promise<void> {
  const deduplication = { id: deduplicationId(group), keepLastIfActive: true };
  const options = { deduplication, removeOnComplete: KEPT, removeOnFail: KEPT };
  await tracing.join([], () => index.add(WAKE.name, { group, ...(pages.length > 0 ? { pages } : {}) }, options));
}

/**
 * Lets later wake-ups pass those that are being worked. An indexer that was killed seems to work its own until BullMQ misses
 * it, up to 8 seconds later, and all that wakes its groups meanwhile would wait for that. If another one really works them, two
 * drain the same outboxes for a moment, which costs work and loses nothing.
 */
export async function releaseWakeUps({ index, tracing }: Queues): Promise<void> {
  const groups = Array.from({ length: GROUPS }, (_, group) => deduplicationId(group));
  await tracing.join([], () => Promise.all(groups.map((id) => index.removeDeduplicationKey(id))));
}

/**
 * Wakes the indexer for what this process has stored, without anybody waiting for it: if a wake-up fails, the indexer finds the
 * references within a second by itself. Of each group one is on its way; what comes meanwhile needs one more.
 */
export class IndexWaker {
  readonly #queues: Queues;
  readonly #groups: Map<Shard, number>;
  readonly #sending = new Map<number, Promise<void>>();
  readonly #again = new Set<number>();

  constructor(queues: Queues, shards: Shards) {
    this.#queues = queues;
    this.#groups = new Map(shards.tags.map((shard, number) => [shard, groupOf(number)]));
  }

  /** @param woken shards, and what was just written to their outboxes if that is little */
  wake(woken: ReadonlyMap<Shard, string[]>): void {
    const written = [...woken].map(([shard, references]): WakePage => ({ shard, references }));
    for (const [group, pages] of groupBy(written, ({ shard }) => this.#groups.get(shard))) {
      if (group === undefined) continue;
      if (this.#sending.has(group)) this.#again.add(group);
      else this.#sending.set(group, this.#send(group, pages));
    }
  }

  /** Resolves when nothing is on its way any more. */
  async close(): Promise<void> {
    await Promise.all(this.#sending.values());
  }

  async #send(group: number, written: WakePage[]): Promise<void> {
    let pages = written.filter(({ references }) => references.length > 0);
    do {
      this.#again.delete(group);
      await wakeIndexer(this.#queues, group, pages).catch(() => {});
      // What was written meanwhile is not known here; the indexer looks.
      pages = [];
    } while (this.#again.has(group));
    this.#sending.delete(group);
  }
}
