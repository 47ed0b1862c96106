import type { SendItem } from '@ruyi/contracts';
import { groupBy } from '@ruyi/flow';
import { untilServed } from '@ruyi/redis';
import type { JobRun, StoredMessage } from '@ruyi/store';
import { SEND } from './catalogue.ts';
import { type LaneContext, queueForIndex, setPartAside } from './context.ts';

/** A job of a send lane: stores each message, sets aside those that cannot be stored, tells who waits. */
export async function appendSingles(context: LaneContext, run: JobRun, items: SendItem[]): Promise<void> {
  const stored = await context.appender.appendMessages(run, items);
  for (const { item, failure, failedInboxes } of stored) {
    if (failure === undefined) continue;
    await setPartAside(context, run, String(item.id), {
      queue: context.lane,
      name: SEND.name,
      reason: failure,
      data: { items: [failedInboxes === undefined ? item : { ...item, inboxes: failedInboxes }] },
    });
  }
  context.counted.stored(stored.filter(({ failure }) => failure === undefined).length);
  await tellWaiting(context, run, stored);
  const inLogs = stored.filter(({ item, seq, failure }) => seq > 0 && !item.cmd && failure === undefined);
  if (inLogs.length > 0) {
    const logs = [...groupBy(inLogs, ({ item }) => item.ch)].map(([ch, messages]) => ({
      ch,
      seqs: messages.map(({ seq }) => seq),
    }));
    await queueForIndex(context, run, { logs }, inLogs.length);
  }
  await untilServed(() => context.store.trimmer.flush(), run.signal);
}

/** API processes that hold answers back until their message is stored (Prefer: wait) get one publish each. */
async function tellWaiting(context: LaneContext, run: JobRun, stored: StoredMessage[]): Promise<void> {
  const waited = stored.filter(({ item, failure }) => item.wait !== undefined && failure === undefined);
  for (const [api, messages] of groupBy(waited, ({ item }) => item.wait ?? '')) {
    const seqs = messages.map(({ item, seq }): [number, number] => [item.id, seq]);
    await untilServed(() => context.store.announceStored(api, seqs), run.signal);
  }
}
