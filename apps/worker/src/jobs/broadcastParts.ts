import type { Chunk } from '@ruyi/contracts';
import { groupBy, together } from '@ruyi/flow';
import { BROADCAST, type BroadcastJob } from '@ruyi/queue';
import { untilServed } from '@ruyi/redis';
import type { FailedRecipient, JobRun } from '@ruyi/store';
import { toDeadLetters } from './deadLetter.ts';
import type { LaneContext } from './laneContext.ts';

/** `untilServed` that stops when the run of the job is aborted. */
export const repeated = <T>(run: JobRun, work: () => Promise<T>): Promise<T> => untilServed(work, run.signal);

/** Which of these chunks are stored already, and the broadcast; undefined if its body is gone. */
export async function lookUp({ store }: LaneContext, run: JobRun, ref: string, chunks: number[]) {
  const [done, bodies] = await together(
    repeated(run, async () => (chunks.length === 0 ? new Set<number>() : store.progress.stored(ref, chunks))),
    repeated(run, () => store.bodies.read([ref])),
  );
  return { done, broadcast: bodies.get(ref) };
}

/** Makes dead letters of the recipients that could not be served, one per reason. */
export async function recipientsToDeadLetters(
  context: LaneContext,
  run: JobRun,
  job: Pick<BroadcastJob, 'ref' | 'from' | 'cmd'>,
  chunks: Chunk[],
  failures: FailedRecipient[],
): Promise<void> {
  let part = 0;
  for (const [reason, group] of groupBy(failures, (failure) => failure.reason)) {
    const chunk: Chunk = {
      chunk: chunks[0]?.chunk ?? 0,
      start: 0,
      at: group.map(({ recipient }) => recipient.position),
      uids: group.map(({ recipient }) => recipient.uid).join('\n'),
    };
    const data: BroadcastJob = { ref: job.ref, from: job.from, ...(job.cmd ? { cmd: 1 } : {}), chunks: [chunk] };
    const name = `${group[0]?.recipient.position ?? 0}-${part++}`;
    await toDeadLetters(context, run, name, { queue: context.lane, name: BROADCAST.name, reason, data });
  }
}
