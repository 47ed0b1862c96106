import { eachLimited, together } from '@ruyi/flow';
import type { GroupCommandJob } from '@ruyi/queue';
import { type FailedRecipient, shardOf, shardsAtOnce } from '@ruyi/store';
import { lookUp, recipientsToDeadLetters, repeated } from './broadcastParts.ts';
import type { LaneContext, LaneRun } from './laneContext.ts';

/** The frozen subscribers of a group command are kept as long as its job may wait. */
const FROZEN_SECONDS = 7 * 86_400;

/** GROUP_COMMAND: freezes the current subscribers, then serves them, some shards at a time. */
export async function storeGroupCommand(context: LaneContext, run: LaneRun, job: GroupCommandJob): Promise<void> {
  const { store } = context;
  const { ref, ch } = job;
  const { done, broadcast } = await lookUp(context, run, ref, [0]);
  if (done.size === 0 && broadcast) {
    const [frozen] = await together(
      repeated(run, () => store.channels.freeze(ch, ref, FROZEN_SECONDS)),
      repeated(run, () => store.bodies.confirm(ref, broadcast.body)),
    );
    const total = frozen.reduce((sum, { count }) => sum + count, 0);
    await repeated(run, () => (total > 0 ? store.bodies.setTotal(ref, total) : store.bodies.remove(ref)));
    let position = 0;
    const parts = frozen
      .map(({ shard, count }) => {
        const first = position;
        position += count;
        return { shard, count, first };
      })
      .filter(({ count }) => count > 0);
    const call = { ref, from: broadcast.body.from, command: true };
    const failures: FailedRecipient[] = [];
    const storeShard = async ({ shard, count, first }: (typeof parts)[number]) => {
      const uids = await repeated(run, () => store.channels.frozen(shard, ref, count));
      const recipients = uids.map((uid, i) => ({ uid, position: first + i }));
      const failed = await context.appender.appendReferencesToShard(run, shard, call, recipients);
      context.counted.stored(recipients.length - failed.length);
      failures.push(...failed);
    };
    await context.queues.tracing.step('store', { 'ruyi.recipients': total }, () =>
      eachLimited(parts, shardsAtOnce(total, parts.length), storeShard),
    );
    await recipientsToDeadLetters(context, run, { ref, from: call.from, cmd: 1 }, 0, failures);
    await repeated(run, () => store.progress.groupCommandStored(ref, total));
  }
  const { idem, digest = '' } = job;
  const markStored = async () => {
    if (idem === undefined || !broadcast) return;
    await store.idempotency.markStored(shardOf(ch, store.layout.shards), idem, { ...broadcast.body, digest });
  };
  await together(
    repeated(run, markStored),
    repeated(run, () => store.channels.unfreeze(ref)),
    repeated(run, () => store.trimmer.flush()),
  );
}
