import type { BroadcastJob, Chunk, GroupCommandJob } from '@ruyi/contracts';
import { eachLimited, groupBy, together } from '@ruyi/flow';
import { untilServed } from '@ruyi/redis';
import { chunkRecipients, chunkSize, type JobRun, type Recipient, shardOf, shardsAtOnce } from '@ruyi/store';
import { BROADCAST } from './catalogue.ts';
import { type LaneContext, queueForIndex, setPartAside } from './context.ts';

/** A group command's frozen subscribers live as long as its job may wait. */
const FROZEN_SECONDS = 7 * 86_400;

interface Failure {
  recipient: Recipient;
  reason: string;
}

/** Part of a batch: stores one reference a recipient. Chunks that were stored by an earlier job are skipped. */
export async function fanOutBroadcast(context: LaneContext, run: JobRun, job: BroadcastJob): Promise<void> {
  const { store } = context;
  const { ref, from } = job;
  const isRetry = job.chunks.some(({ at }) => at !== undefined);
  const numbers = job.chunks.map(({ chunk }) => chunk);
  const { done, broadcast } = await lookUp(context, run, ref, isRetry ? [] : numbers);
  const chunks = job.chunks.filter(({ chunk }) => !done.has(chunk));
  if (chunks.length > 0 && broadcast) {
    const recipients = chunks.flatMap(chunkRecipients);
    if (isRetry && !job.cmd) await markLate(context, run, job, recipients);
    const [failures] = await together(
      context.appender.appendReferences(run, { ref, from, command: job.cmd === 1 }, recipients),
      inTime(run, () => store.bodies.confirm(ref, broadcast.body)),
    );
    if (!isRetry && !job.cmd) await inTime(run, () => store.late.mark(ref, positionsOf(failures)));
    await setRecipientsAside(context, run, job, chunks, failures);
    context.counted.stored(recipients.length - failures.length);
    if (isRetry) await inTime(run, () => store.progress.recovered(ref, served(recipients, failures)));
    else await noteStored(context, run, ref, chunks, failures);
  } else if (!broadcast) {
    // Abandoned before it was answered, or expired meanwhile: there is nothing left that anyone could read.
    context.log.warn({ lane: context.lane, jobId: run.jobId, ref }, 'broadcast without a body');
    if (!isRetry) await noteStored(context, run, ref, chunks, []);
  }
  // Also for a replay: the first run may have died between the store and this.
  if (broadcast && !job.cmd) {
    const size = job.chunks.reduce((sum, chunk) => sum + chunkSize(chunk), 0);
    await queueForIndex(context, run, { broadcast: { ref, chunks: job.chunks } }, size);
  }
  await inTime(run, () => store.trimmer.flush());
}

/** A command to a channel: freezes the subscribers of this moment, then serves them, some shards at a time. */
export async function fanOutGroupCommand(context: LaneContext, run: JobRun, job: GroupCommandJob): Promise<void> {
  const { store } = context;
  const { ref, ch } = job;
  const { done, broadcast } = await lookUp(context, run, ref, [0]);
  if (done.size === 0 && broadcast) {
    const [counts] = await together(
      inTime(run, () => store.channels.freeze(ch, ref, FROZEN_SECONDS)),
      inTime(run, () => store.bodies.confirm(ref, broadcast.body)),
    );
    const total = counts.reduce((sum, count) => sum + count, 0);
    await inTime(run, () => (total > 0 ? store.bodies.setTotal(ref, total) : store.bodies.remove(ref)));
    let position = 0;
    const parts = counts
      .map((count, shard) => {
        const first = position;
        position += count;
        return { shard, count, first };
      })
      .filter(({ count }) => count > 0);
    const call = { ref, from: broadcast.body.from, command: true };
    await eachLimited(parts, shardsAtOnce(total, parts.length), async ({ shard, count, first }) => {
      const uids = await inTime(run, () => store.channels.frozen(shard, ref, count));
      const recipients = uids.map((uid, i) => ({ uid, at: first + i }));
      const failures = await context.appender.appendReferencesToShard(run, shard, call, recipients);
      context.counted.stored(recipients.length - failures.length);
      const part = { ref, from: call.from, cmd: 1 as const };
      await setRecipientsAside(context, run, part, [{ chunk: 0, start: 0, uids: '' }], failures);
    });
    await inTime(run, () => store.progress.groupCommandStored(ref, total));
  }
  const { idem, digest = '' } = job;
  const markStored = async () => {
    if (idem === undefined || !broadcast) return;
    await store.idempotency.markStored(shardOf(ch, store.layout.shards), idem, { ...broadcast.body, digest });
  };
  await together(
    inTime(run, markStored),
    inTime(run, () => store.channels.unfreeze(ref)),
    inTime(run, () => store.trimmer.flush()),
  );
}

/** Which of these chunks are stored already, and the body; undefined where it is gone. */
async function lookUp({ store }: LaneContext, run: JobRun, ref: string, chunks: number[]) {
  const [done, bodies] = await together(
    inTime(run, async () => (chunks.length === 0 ? new Set<number>() : store.progress.stored(ref, chunks))),
    inTime(run, () => store.bodies.read([ref])),
  );
  return { done, broadcast: bodies.get(ref) };
}

/** Of recipients who are tried again, those who do not have the message: letters of an earlier version have no marks yet. */
async function markLate({ store }: LaneContext, run: JobRun, { ref, from }: BroadcastJob, recipients: Recipient[]) {
  await inTime(run, async () => {
    const seqs = await store.logs.seqsOfReferences(recipients.map(({ uid, at }) => ({ ref, at, from, uid })));
    const missing = recipients.filter((_, i) => seqs[i] === 0);
    await store.late.mark(
      ref,
      missing.map(({ at }) => at),
    );
  });
}

const positionsOf = (failures: Failure[]): number[] => failures.map(({ recipient }) => recipient.at);

const inTime = <T>(run: JobRun, work: () => Promise<T>): Promise<T> => untilServed(work, run.signal);

const served = (recipients: Recipient[], failures: Failure[]): number[] => {
  const failed = new Set(positionsOf(failures));
  return recipients.map(({ at }) => at).filter((at) => !failed.has(at));
};

async function noteStored(context: LaneContext, run: JobRun, ref: string, chunks: Chunk[], failures: Failure[]) {
  if (chunks.length === 0) return;
  const sizes = chunks.map((chunk) => ({ chunk: chunk.chunk, size: chunkSize(chunk) }));
  await inTime(run, () => context.store.progress.chunksStored(ref, sizes, positionsOf(failures)));
}

/** Recipients who could not be served go to the dead letters, those with the same reason together. */
async function setRecipientsAside(
  context: LaneContext,
  run: JobRun,
  job: Pick<BroadcastJob, 'ref' | 'from' | 'cmd'>,
  chunks: Chunk[],
  failures: Failure[],
): Promise<void> {
  let part = 0;
  for (const [reason, group] of groupBy(failures, (failure) => failure.reason)) {
    const chunk: Chunk = {
      chunk: chunks[0]?.chunk ?? 0,
      start: 0,
      at: group.map(({ recipient }) => recipient.at),
      uids: group.map(({ recipient }) => recipient.uid).join('\n'),
    };
    const data: BroadcastJob = { ref: job.ref, from: job.from, ...(job.cmd ? { cmd: 1 } : {}), chunks: [chunk] };
    const name = `${group[0]?.recipient.at ?? 0}-${part++}`;
    await setPartAside(context, run, name, { queue: context.lane, name: BROADCAST.name, reason, data });
  }
}
