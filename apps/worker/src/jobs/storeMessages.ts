import type { SendItem } from '@ruyi/contracts';
import { groupBy } from '@ruyi/flow';
import { SEND } from '@ruyi/queue';
import { untilServed } from '@ruyi/redis';
import type { JobRun, StoredMessage } from '@ruyi/store';
import { toDeadLetters } from './deadLetter.ts';
import type { LaneContext } from './laneContext.ts';
import { queueForIndex } from './queueForIndex.ts';

/** SEND: stores each message, makes dead letters of those that cannot be stored, and announces the stored ones. */
export async function storeMessages(context: LaneContext, run: JobRun, items: SendItem[]): Promise<void> {
  const stored = await context.appender.appendMessages(run, items);
  for (const { item, failure, failedInboxes } of stored) {
    if (failure === undefined) continue;
    await toDeadLetters(context, run, String(item.id), {
      queue: context.lane,
      name: SEND.name,
      reason: failure,
      data: { items: [failedInboxes === undefined ? item : { ...item, inboxes: failedInboxes }] },
    });
  }
  context.counted.stored(stored.filter(({ failure }) => failure === undefined).length);
  await announceStored(context, run, stored);
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

/** Publishes once to each API process that delays answers until their message is stored (Prefer: wait). */
async function announceStored(context: LaneContext, run: JobRun, stored: StoredMessage[]): Promise<void> {
  const waited = stored.filter(({ item, failure }) => item.wait !== undefined && failure === undefined);
  for (const [api, messages] of groupBy(waited, ({ item }) => item.wait ?? '')) {
    const seqs = messages.map(({ item, seq }): [number, number] => [item.id, seq]);
    await untilServed(() => context.store.announceStored(api, seqs), run.signal);
  }
}
