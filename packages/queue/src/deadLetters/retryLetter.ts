import type { LanePlan, Shards } from '@ruyi/store';
import type { Queue } from 'bullmq';
import { INDEX_QUEUE, LANE_KINDS } from '../names.ts';
import type { Queues } from '../queues.ts';
import { whileOpen } from '../whileOpen.ts';
import { claimLetter, readLetter, triesOf } from './letterRecords.ts';

/** A letter whose job is back on its queue; or why it is not. */
export type Retry = { id: string; tries: number } | { id: string; refused: string };

/**
 * Puts the job of a dead letter back on its queue. The letter stays until it is known how that ended: whoever works the job
 * removes it, or notes one try more (recordDeadLetters.ts). Repeated while the job is under way, it adds nothing; if the job was
 * lost, it adds it again.
 */
export async function retryLetter(queues: Queues, id: string, shards: Shards): Promise<Retry> {
  const found = await readLetter(queues, id, shards);
  if (!found) return { id, refused: 'no dead letter has this id' };
  const { summary, letter } = found;
  if (!summary.isRetryable || !isKnownQueue(letter.queue)) {
    return { id, refused: `it cannot be tried again: ${letter.reason}` };
  }
  const tries = summary.tries + 1;
  const jobId = `retry-${id}-${tries}.${summary.count}`;
  const claim = await claimLetter(queues, summary, jobId);
  if (claim === 'gone') return { id, refused: 'no dead letter has this id' };
  if (claim === 'taken') return { id, refused: 'somebody else tries it again just now' };
  const data = { ...Object(letter.data), letter: { id, tries, firstAt: summary.firstAt } };
  await whileOpen(queues, async (plan) => {
    const queue = targetOf(queues, plan, letter.queue);
    if (['completed', 'failed'].includes(await queue.getJobState(jobId))) {
      // The letter is told before its job ends. So either somebody else's retry has just ended, or the job ended without a word,
      // as that of an earlier version: then it stands in the way.
      if ((await triesOf(queues, id)) !== summary.tries) return;
      await queue.remove(jobId);
    }
    await queue.add(letter.name, data, { jobId });
  });
  return { id, tries };
}

const LANE_NAME = new RegExp(`^(${LANE_KINDS.join('|')})\\.(\\d+)(\\.g\\d+)?$`);
const isKnownQueue = (name: string) => LANE_NAME.test(name) || name === INDEX_QUEUE.name;

/**
 * Where a dead letter goes that is retried. Its lane may be gone by now. Any lane of its kind will do, because a job that is
 * put back has lost its place anyway.
 */
function targetOf(queues: Queues, { lanes, generation }: LanePlan, name: string): Queue {
  const [, kind, lane] = LANE_NAME.exec(name) ?? [];
  if (kind === undefined) return queues.index;
  return queues.lane(kind === 'send' ? 'send' : 'fanout', Number(lane) % lanes, generation);
}
