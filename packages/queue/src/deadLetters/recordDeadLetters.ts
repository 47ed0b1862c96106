import type { Shards } from '@ruyi/store';
import { rawData, replaceRawData } from '../bullmqInternals.ts';
import { DEAD, type DeadJob, Retried } from '../jobs.ts';
import type { Queues } from '../queues.ts';
import { noteLetter, triesOf } from './letterRecords.ts';
import { summaryOf } from './letterSummary.ts';

interface Log {
  warn(fields: object, text: string): void;
}

/** Data of a job that became a dead letter because it could not be read; a worker completes it. */
const SET_ASIDE = { setAside: true };
export const isDeadLettered = (data: unknown): boolean =>
  typeof data === 'object' && data !== null && 'setAside' in data && data.setAside === true;

/** What could not be processed, and why, as it is noticed. */
export type NewLetter = Omit<DeadJob, 'tries' | 'firstAt' | 'lastAt'>;

/**
 * Makes a dead letter, or notes under `retried.id` that a try of it failed again. The same once more changes nothing.
 * @param part names a new letter: the id of its job, and the part of that
 * @param of.shards of the installation, to name the keys that are to blame
 */
export async function addDeadLetter(
  queues: Queues,
  part: string,
  letter: NewLetter,
  { shards, retried }: { shards?: Shards; retried?: Retried | undefined } = {},
): Promise<void> {
  const now = Date.now();
  const id = retried?.id ?? `dead-${part}`;
  const whole = { ...letter, tries: retried?.tries ?? 1, firstAt: retried?.firstAt ?? now, lastAt: now };
  const summary = summaryOf(id, whole, shards, now);
  if (await noteLetter(queues, id, whole, summary)) return;
  await queues.dead.add(DEAD.name, whole, { jobId: id, removeOnComplete: true });
  await noteLetter(queues, id, whole, summary);
}

const isObject = (data: unknown): data is object => typeof data === 'object' && data !== null && !Array.isArray(data);

/** Which letter a job tries again, if it does; also if the job is no valid one otherwise. */
export const retriedIn = (data: unknown): Retried | undefined =>
  isObject(data) && 'letter' in data ? Retried.safeParse(data.letter).data : undefined;

/** The data of a job as it was before it was tried again. */
export function withoutRetried(data: unknown): unknown {
  if (!isObject(data) || !('letter' in data)) return data;
  const { letter: _, ...rest } = data;
  return rest;
}

/** Call this when a job that tries a letter again has ended: unless it noted that it failed, the letter goes. */
export async function settleRetried(queues: Queues, { id, tries }: Retried): Promise<void> {
  const noted = await triesOf(queues, id);
  if (noted !== undefined && noted < tries) await queues.dead.remove(id);
}

/**
 * Call this for a job that stalls. Data that is not JSON makes BullMQ throw before any processor runs, again and again, and
 * the lane would stand still. Such a job becomes a dead letter, and its data is replaced by something a worker completes.
 */
export function healUnreadable(queues: Queues, queue: Queues['dead'], jobId: string, log: Log): void {
  const heal = async () => {
    const raw = await rawData(queues.redis, queue, jobId);
    if (raw === null || isJson(raw)) return;
    log.warn({ queue: queue.name, jobId }, 'job data is unreadable, dead letter');
    const letter = { queue: queue.name, name: 'unreadable', reason: 'job data is no JSON', raw };
    await addDeadLetter(queues, jobId, letter);
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
