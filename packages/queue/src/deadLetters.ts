import type { RedisClient } from '@ruyi/redis';
import { type Job, type Queue, UnrecoverableError, Worker } from 'bullmq';
import { rawData, replaceRawData } from './bullmqInternals.ts';
import { DEAD, type DeadJob } from './jobs.ts';
import { allQueues, DEAD_QUEUE } from './names.ts';
import { openQueue, type Queues } from './queues.ts';

interface Log {
  warn(fields: object, text: string): void;
}

/** Data of a job that became a dead letter because it could not be read; a worker completes it. */
const SET_ASIDE = { setAside: true };
export const isDeadLettered = (data: unknown): boolean =>
  typeof data === 'object' && data !== null && 'setAside' in data && data.setAside === true;

/** Adds a dead letter. The same id again changes nothing. */
export async function addDeadLetter(dead: Queue, id: string, job: DeadJob): Promise<void> {
  await dead.add(DEAD.name, job, { jobId: `dead-${id}`, removeOnComplete: true });
}

/**
 * Call this for a job that stalls. Data that is not JSON makes BullMQ throw before any processor runs, again and again, and
 * the lane would stand still. Such a job becomes a dead letter, and its data is replaced by something a worker completes.
 */
export function healUnreadable(queues: Queues, queue: Queue, jobId: string, log: Log): void {
  const heal = async () => {
    const raw = await rawData(queues.redis, queue, jobId);
    if (raw === null || isJson(raw)) return;
    log.warn({ queue: queue.name, jobId }, 'job data is unreadable, dead letter');
    const letter = { queue: queue.name, name: 'unreadable', reason: 'job data is no JSON', raw };
    await addDeadLetter(queues.dead, jobId, letter);
    await replaceRawData(queues.redis, queue, jobId, JSON.stringify(SET_ASIDE));
  };
  heal().catch((err) => log.warn({ err, queue: queue.name, jobId }, 'cannot look at a stalled job'));
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

/**
 * The worker of the dead letters. Its first attempt fails for good, so that the letter lies among the failed
 * jobs; BullMQ's own retry (the board's button, `ruyi dead retry`) runs it again, which puts the job back on its queue.
 */
export function openDeadLetters(connection: RedisClient, lanes: number): { close(): Promise<void> } {
  const names = new Map(allQueues(lanes).map((queue) => [queue.name, queue]));
  const worker = new Worker(
    DEAD_QUEUE.name,
    async (job: Job) => {
      const letter = DEAD.schema.parse(job.data);
      if (job.attemptsMade === 0) throw new UnrecoverableError(letter.reason);
      const target = names.get(letter.queue) ?? names.get(presentLane(letter.queue, lanes));
      if (letter.data === undefined || !target) {
        throw new UnrecoverableError(`cannot be retried, its data is unreadable: ${letter.reason}`);
      }
      const queue = openQueue(connection, target);
      await queue.add(letter.name, letter.data, { jobId: `retry-${job.id}-${job.attemptsMade}.1` });
      await queue.close();
    },
    { connection, prefix: DEAD_QUEUE.prefix, concurrency: 1, lockDuration: 5000, stalledInterval: 5000 },
  );
  worker.on('error', () => {});
  return { close: () => worker.close() };
}

/** The lane may be gone by now. Any lane of its kind will do, because a job that is put back has lost its place anyway. */
function presentLane(name: string, lanes: number): string {
  const [kind, lane] = name.split('.');
  return `${kind}.${Number(lane) % lanes}`;
}
