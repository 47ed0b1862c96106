import type { SendItem } from '@ruyi/contracts';
import type { Recipient } from '../broadcasts/chunks.ts';
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

/** Writes into logs and inboxes on behalf of one lane; see fence.ts for what keeps that exactly once. */
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
}

export const createAppender = (context: AppendContext): Appender => ({
  appendMessages: (run, items) => appendMessages(context, run, items),
  appendReferences: (run, broadcast, recipients) => appendReferences(context, run, broadcast, recipients),
  appendReferencesToShard: (run, shard, broadcast, recipients) =>
    appendReferencesToShard(context, run, shard, broadcast, recipients),
});
