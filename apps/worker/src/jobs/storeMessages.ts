import type { SendItem } from '@ruyi/contracts';
import { groupBy } from '@ruyi/flow';
import { problemsOf, SEND } from '@ruyi/queue';
import { untilServed } from '@ruyi/redis';
import type { StoredMessage } from '@ruyi/store';
import { type FailedPart, toDeadLetters } from './deadLetter.ts';
import { afterMissed, handOverAgain } from './handOver.ts';
import type { LaneContext, LaneRun } from './laneContext.ts';

/** SEND: stores each message, makes dead letters of those that cannot be stored, and announces the stored ones. */
export async function storeMessages(context: LaneContext, run: LaneRun, items: SendItem[]): Promise<void> {
  const { tracing } = context.queues;
  const attributes = { 'ruyi.messages': items.length };
  const traced = { ...run, trace: tracing.carried() };
  const stored = await tracing.step('store', attributes, () => context.appender.appendMessages(traced, items));
  const { woken, missed } = context.appender.takeHandedOver();
  context.wake(woken);
  await toDeadLetters(context, run, await failedParts(context, run, stored));
  context.counted.stored(stored.filter(({ failure }) => failure === undefined).length);
  await announceStored(context, run, stored);
  // Nobody who waits for the message waits for this. If it is lost with the process, the indexer finds the marks.
  await afterMissed(context, run, missed);
  const earlier = stored.filter(({ item, seq, isEarlier }) => isEarlier && seq > 0 && !item.cmd);
  await handOverAgain(context, run, earlier);
  await untilServed(() => context.store.trimmer.flush(), run.signal);
}

/** Each message that could not be stored, with the problem of each log or inbox that lacks it. */
function failedParts({ queues, store }: LaneContext, run: LaneRun, stored: StoredMessage[]): Promise<FailedPart[]> {
  const failed = stored.flatMap(({ failure, ...message }) => (failure === undefined ? [] : [{ ...message, failure }]));
  return Promise.all(
    failed.map(async ({ item, failure, failedInboxes }) => {
      const targets = failedInboxes?.map((uid) => ({ uid })) ?? [{ channel: item.ch }];
      const destination = { from: item.from, isCommand: failedInboxes !== undefined, shards: store.layout.shards };
      const failures = targets.map((target) => ({ target, reason: failure }));
      const problems = await untilServed(() => problemsOf(queues.redis, destination, failures), run.signal);
      const again = failedInboxes === undefined ? item : { ...item, inboxes: failedInboxes };
      return {
        part: String(item.id),
        letter: {
          name: SEND.name,
          reason: failure,
          data: { items: [again] },
          problems: problems.map((problem) => ({ ...problem, count: 1 })),
        },
      };
    }),
  );
}

/** Publishes once to each API process that delays answers until their message is stored (Prefer: wait). */
async function announceStored(context: LaneContext, run: LaneRun, stored: StoredMessage[]): Promise<void> {
  const waited = stored.filter(({ item, failure }) => item.wait !== undefined && failure === undefined);
  for (const [api, messages] of groupBy(waited, ({ item }) => item.wait ?? '')) {
    const seqs = messages.map(({ item, seq }): [number, number] => [item.id, seq]);
    await untilServed(() => context.store.announceStored(api, seqs), run.signal);
  }
}
