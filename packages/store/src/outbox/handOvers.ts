import type { Shard } from '../shardTags.ts';

/**
 * What a script says of an outbox: `kept`; `wake`, if it was empty before; `missed`, if the references were not kept and a mark
 * was left instead.
 */
export type OutboxStatus = 'kept' | 'wake' | 'missed';

/** Of what handOver of include/outbox.lua returns. */
export const outboxStatus = (reply: unknown): OutboxStatus => (reply === 1 ? 'wake' : reply === 2 ? 'missed' : 'kept');

/** What follows from calls that wrote to outboxes. If it is lost, the indexer finds the outboxes and the marks by itself. */
export interface HandedOver {
  /** shards whose outbox was empty before, with the references that are its first now, or none if they are many */
  woken: Map<Shard, string[]>;
  /** by shard the mark that was left in its outbox */
  missed: Map<Shard, string>;
}

/** Gathers what scripts say of outboxes. */
export class HandOvers {
  #woken = new Map<Shard, string[]>();
  #missed = new Map<Shard, string>();

  /** @param first the references that the call has written, if it was the first and they are few */
  note(shard: Shard, status: OutboxStatus, mark: string, first: string[] = []): void {
    if (status === 'wake') this.#woken.set(shard, first);
    if (status === 'missed') this.#missed.set(shard, mark);
  }

  /** All since the last call. */
  take(): HandedOver {
    const taken = { woken: this.#woken, missed: this.#missed };
    this.#woken = new Map();
    this.#missed = new Map();
    return taken;
  }
}
