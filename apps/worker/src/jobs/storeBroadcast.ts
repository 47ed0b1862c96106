import type { Chunk } from '@ruyi/contracts';
import { together } from '@ruyi/flow';
import { BROADCAST, type BroadcastJob } from '@ruyi/queue';
import { chunkRecipients, chunkSize, type FailedRecipient, isDamage, type Recipient } from '@ruyi/store';
import { lookUp, recipientsToDeadLetters, repeated, requireLock } from './broadcastParts.ts';
import { type FailedPart, toDeadLetters } from './deadLetter.ts';
import { handOverChunks } from './handOver.ts';
import type { LaneContext, LaneRun } from './laneContext.ts';

/** BROADCAST: stores one reference per recipient. Skips chunks that an earlier job has stored. */
export async function storeBroadcast(context: LaneContext, run: LaneRun, job: BroadcastJob): Promise<void> {
  const { store } = context;
  const { ref, from } = job;
  const isRetry = job.chunks.some(({ at }) => at !== undefined);
  const numbers = job.chunks.map(({ chunk }) => chunk);
  const { done, broadcast } = await lookUp(context, run, ref, isRetry ? [] : numbers);
  // A job that failed as a whole had its chunks noted, as failed: what it tries again is none the less to be done.
  const chunks = run.retried ? job.chunks : job.chunks.filter(({ chunk }) => !done.has(chunk));
  if (chunks.length > 0 && broadcast) {
    const recipients = chunks.flatMap(chunkRecipients);
    if (isRetry && !job.cmd) await markLate(context, run, job, recipients);
    const [failures] = await together(
      context.queues.tracing.step('store', { 'ruyi.recipients': recipients.length }, () =>
        context.appender.appendReferences(run, { ref, from, command: job.cmd === 1 }, recipients),
      ),
      repeated(run, () => store.bodies.confirm(ref, broadcast.body)),
    );
    if (!isRetry && !job.cmd) await repeated(run, () => store.late.mark(ref, positionsOf(failures)));
    await recipientsToDeadLetters(context, run, job, chunks[0]?.chunk ?? 0, failures);
    context.counted.stored(recipients.length - failures.length);
    if (!isRetry) await noteStored(context, run, ref, chunks, failures);
    if (isRetry || run.retried) await repeated(run, () => store.progress.recovered(ref, served(recipients, failures)));
  } else if (!broadcast) {
    // The request was abandoned before it was answered, or the broadcast has expired. Nobody could read it any more.
    context.log.warn({ lane: context.lane, jobId: run.jobId, ref }, 'broadcast without a body');
    // Or Redis has forgotten both the broadcast and this job. A repeat of the request must find its chunks not stored.
    await requireLock(run);
    if (run.retried) await toDeadLetters(context, run, [expired(job)]);
    else if (!isRetry) await noteStored(context, run, ref, chunks, []);
  }
  // Also for a replay: an earlier run may have died after storing and before this.
  if (broadcast && !job.cmd) await handOverChunks(context, run, job);
  await repeated(run, () => store.trimmer.flush());
}

/**
 * Marks those retried recipients as late who do not have the message yet. Dead letters of an earlier version have no
 * marks.
 */
async function markLate({ store }: LaneContext, run: LaneRun, { ref, from }: BroadcastJob, recipients: Recipient[]) {
  await repeated(run, async () => {
    const seqs = await store.logs.seqsOfReferences(
      recipients.map(({ uid, position }) => ({ ref, position, from, uid })),
    );
    const missing = recipients.filter((_, i) => seqs[i] === 0);
    await store.late.mark(
      ref,
      missing.map(({ position }) => position),
    );
  });
}

const positionsOf = (failures: FailedRecipient[]): number[] => failures.map(({ recipient }) => recipient.position);

const served = (recipients: Recipient[], failures: FailedRecipient[]): number[] => {
  const failed = new Set(positionsOf(failures));
  return recipients.map(({ position }) => position).filter((position) => !failed.has(position));
};

/** A retry that cannot succeed any more says so. Its recipients stay counted as failed. */
function expired({ letter: _, ...data }: BroadcastJob): FailedPart {
  const reason = 'the broadcast has expired or was removed';
  const problems = data.chunks.map((chunk) => ({ code: 'expired', reason, count: chunkSize(chunk) }));
  return { part: 'job', letter: { name: BROADCAST.name, reason, data, problems } };
}

async function noteStored(
  context: LaneContext,
  run: LaneRun,
  ref: string,
  chunks: Chunk[],
  failures: FailedRecipient[],
) {
  if (chunks.length === 0) return;
  const sizes = chunks.map((chunk) => ({ chunk: chunk.chunk, size: chunkSize(chunk) }));
  await repeated(run, () =>
    context.store.progress.chunksStored(
      ref,
      sizes,
      failures.map(({ recipient, reason }) => ({ ...recipient, reason })),
    ),
  );
}

/**
 * A job that failed as a whole: all of its recipients have failed, so that the broadcast comes to its end. Where that cannot be
 * noted because the progress is what is damaged, it is noted when the job is tried again.
 */
export async function noteFailedJob(context: LaneContext, run: LaneRun, job: BroadcastJob, reason: string) {
  if (run.retried || job.chunks.some(({ at }) => at !== undefined)) return;
  const failures = job.chunks.flatMap(chunkRecipients).map((recipient) => ({ recipient, reason }));
  try {
    if (!job.cmd) await repeated(run, () => context.store.late.mark(job.ref, positionsOf(failures)));
    await noteStored(context, run, job.ref, job.chunks, failures);
  } catch (error) {
    if (!isDamage(error)) throw error;
  }
}
