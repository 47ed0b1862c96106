import { addDeadLetter, type NewLetter } from '@ruyi/queue';
import { untilServed } from '@ruyi/redis';
import type { LaneContext, LaneRun } from './laneContext.ts';

/** A part of a job that could not be processed. */
export interface FailedPart {
  /** names it among the parts of the job, the same in every run */
  part: string;
  letter: Omit<NewLetter, 'queue'>;
}

/**
 * Makes dead letters of parts of a job. The rest of the job continues. If the job tries a letter again, its first part is that
 * letter once more.
 */
export async function toDeadLetters(context: LaneContext, run: LaneRun, parts: FailedPart[]): Promise<void> {
  const { queues, store, counted, log, lane } = context;
  const { jobId, signal } = run;
  for (const [i, { part, letter }] of parts.entries()) {
    counted.deadLetter();
    log.warn({ lane, jobId, part, reason: letter.reason }, 'dead letter');
    const of = { shards: store.layout.shards, retried: i === 0 ? run.retried : undefined };
    await untilServed(() => addDeadLetter(queues, `${jobId}-${part}`, { ...letter, queue: lane }, of), signal);
  }
}
