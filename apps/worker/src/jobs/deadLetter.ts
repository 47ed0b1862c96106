import { addDeadLetter, type DeadJob } from '@ruyi/queue';
import { untilServed } from '@ruyi/redis';
import type { JobRun } from '@ruyi/store';
import type { LaneContext } from './laneContext.ts';

/** Makes a dead letter of one part of a job. The rest of the job continues. */
export async function toDeadLetters(context: LaneContext, run: JobRun, part: string, letter: DeadJob): Promise<void> {
  context.counted.deadLetter();
  context.log.warn({ lane: context.lane, jobId: run.jobId, part, reason: letter.reason }, 'dead letter');
  await untilServed(() => addDeadLetter(context.queues.dead, `${run.jobId}-${part}`, letter), run.signal);
}
