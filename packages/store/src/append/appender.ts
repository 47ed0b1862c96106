import type { SendItem } from '@ruyi/contracts';
import { untilServed } from '@ruyi/redis';
import type { Recipient } from '../broadcasts/chunks.ts';
import type { HandedOver } from '../outbox/handOvers.ts';
import type { Shard } from '../shardTags.ts';
import type { AppendContext } from './appendContext.ts';
import { appendMessages, type StoredMessage } from './appendMessages.ts';
import {
  appendReferences,
  appendReferencesToShard,
  type FailedRecipient,
  type ReferenceSource,
} from './appendReferences.ts';
import type { JobRun } from './fence.ts';

/**
 * Writes into logs and inboxes on behalf of one lane; see fence.ts for what keeps that exactly once. Each resolves once
 * REDIS_WAIT replicas have what it wrote.
 */
export interface Appender {
  /** Stores the messages of a send job, in their order per log and per channel. */
  appendMessages(run: JobRun, items: SendItem[]): Promise<StoredMessage[]>;
  /**
   * Stores references to one body for a slice of recipients, in the order given.
   * @returns the recipients that could not be served, and why
   */
  appendReferences(run: JobRun, broadcast: ReferenceSource, recipients: Recipient[]): Promise<FailedRecipient[]>;
  /** The same for recipients who all live in one shard. */
  appendReferencesToShard(
    run: JobRun,
    shard: Shard,
    broadcast: ReferenceSource,
    recipients: Recipient[],
  ): Promise<FailedRecipient[]>;
  /** What became of the references to messages that were stored since the last call. */
  takeHandedOver(): HandedOver;
}

export function createAppender(context: AppendContext): Appender {
  /** What follows an append, such as noting its progress on another master, must not outlive it. */
  const onReplicas = async <T>(run: JobRun, append: () => Promise<T>, shard?: Shard): Promise<T> => {
    const result = await append();
    const heads = shard === undefined ? context.fence.takeTouched() : [context.fence.headKey(shard)];
    await untilServed(() => context.replicas.confirm(heads), run.signal);
    return result;
  };
  return {
    appendMessages: (run, items) => onReplicas(run, () => appendMessages(context, run, items)),
    appendReferences: (run, broadcast, recipients) =>
      onReplicas(run, () => appendReferences(context, run, broadcast, recipients)),
    appendReferencesToShard: (run, shard, broadcast, recipients) =>
      onReplicas(run, () => appendReferencesToShard(context, run, shard, broadcast, recipients), shard),
    takeHandedOver: () => context.handOvers.take(),
  };
}
