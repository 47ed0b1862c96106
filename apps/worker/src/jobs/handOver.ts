import { channelName } from '@ruyi/contracts';
import { groupBy } from '@ruyi/flow';
import type { BroadcastJob } from '@ruyi/queue';
import { untilServed } from '@ruyi/redis';
import {
  chunkReference,
  chunkSize,
  type HandedOver,
  HandOvers,
  type JobRun,
  keys,
  markText,
  referencesTo,
  requestRebuild,
  type Shard,
  type StoredMessage,
  shardOf,
} from '@ruyi/store';
import type { LaneContext } from './laneContext.ts';

/** Has the index rebuilt if references were not kept, because too much waits. */
export async function afterMissed(context: LaneContext, run: JobRun, missed: HandedOver['missed']): Promise<void> {
  if (missed.size === 0) return;
  await untilServed(() => requestRebuild(context.store, 'too much waited to be indexed'), run.signal);
  for (const [shard, mark] of missed) {
    await untilServed(() => context.store.outboxes.takeMark(shard, mark), run.signal);
  }
}

/**
 * Hands over messages that were stored before this run: by a run of this version, which handed them over as well, or by a run of
 * one that had no outboxes.
 */
export async function handOverAgain(context: LaneContext, run: JobRun, messages: StoredMessage[]): Promise<void> {
  const byShard = groupBy(messages, ({ item }) => shardOf(item.ch, context.store.layout.shards));
  for (const [shard, ofShard] of byShard) await push(context, run, shard, referencesTo(ofShard, originOf(context)), 0);
}

/**
 * Hands over the chunks of a job. Their outbox is that of the first recipient. Not before all recipients were tried: the documents
 * leave out those who are late.
 */
export async function handOverChunks(context: LaneContext, run: JobRun, job: BroadcastJob): Promise<void> {
  const { ref, from, chunks } = job;
  const [first = ''] = chunks[0]?.uids.split('\n') ?? [];
  const recipients = chunks.reduce((sum, chunk) => sum + chunkSize(chunk), 0);
  const shard = shardOf(channelName(1, first, from), context.store.layout.shards);
  const reference = chunkReference(originOf(context), recipients, { ref, chunks });
  await push(context, run, shard, [reference], recipients - 1);
}

const originOf = ({ queues }: LaneContext) => ({ at: Date.now(), trace: queues.tracing.carried() });

async function push(context: LaneContext, run: JobRun, shard: Shard, references: string[], more: number) {
  const { outboxes, durably } = context.store;
  const mark = markText(Date.now(), `${run.jobId} again`);
  const handedOver = new HandOvers();
  const write = async () => {
    handedOver.note(shard, await outboxes.push(shard, references, more, { mark, isFull: !context.indexing() }), mark);
  };
  await untilServed(() => durably([keys.outbox(shard)], write), run.signal);
  const { woken, missed } = handedOver.take();
  context.wake(woken);
  await afterMissed(context, run, missed);
}
