import type { RedisClient } from '@ruyi/redis';
import type { LanePlan } from '@ruyi/store';
import { type Job, type Queue, UnrecoverableError, Worker } from 'bullmq';
import { rawData, replaceRawData } from './bullmqInternals.ts';
import { DEAD, type DeadJob } from './jobs.ts';
import { DEAD_QUEUE, INDEX_QUEUE, LANE_KINDS } from './names.ts';
import type { Queues } from './queues.ts';
import { whileOpen } from './whileOpen.ts';

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

const SCANNED_AT_ONCE = 500;

/** The dead letters of one broadcast. Its name is part of the ids of its jobs, and so of theirs. */
export async function* deadLettersOf({ dead }: Queues, ref: string): AsyncGenerator<{ id: string; letter: DeadJob }> {
  const isOfRef = new RegExp(`^dead-(?:retry-dead-)*${ref}\\.`);
  // All ids first: whoever removes letters meanwhile would shift the pages.
  const ids: string[] = [];
  for (let from = 0; ; from += SCANNED_AT_ONCE) {
    const page = await dead.getRanges(['failed'], from, from + SCANNED_AT_ONCE - 1, true);
    ids.push(...page.filter((id) => isOfRef.test(id)));
    if (page.length < SCANNED_AT_ONCE) break;
  }
  for (const id of ids) {
    const job = await dead.getJob(id);
    const letter = DEAD.schema.safeParse(job?.data);
    if (letter.success) yield { id, letter: letter.data };
  }
}

/**
 * The worker of the dead letters. Its first attempt fails for good, so that the letter lies among the failed
 * jobs; BullMQ's own retry (the board's button, `ruyi dead retry`) runs it again, which puts the job back on its queue.
 */
export function openDeadLetters(connection: RedisClient, queues: Queues): { close(): Promise<void> } {
  const worker = new Worker(
    DEAD_QUEUE.name,
    async (job: Job) => {
      const letter = DEAD.schema.parse(job.data);
      if (job.attemptsMade === 0) throw new UnrecoverableError(letter.reason);
      const { data } = letter;
      if (data === undefined || !isKnownQueue(letter.queue)) {
        throw new UnrecoverableError(`cannot be retried, its data is unreadable: ${letter.reason}`);
      }
      const jobId = `retry-${job.id}-${job.attemptsMade}.1`;
      await whileOpen(queues, (plan) => targetOf(queues, plan, letter.queue).add(letter.name, data, { jobId }));
    },
    { connection, prefix: DEAD_QUEUE.prefix, concurrency: 1, lockDuration: 5000, stalledInterval: 5000 },
  );
  worker.on('error', () => {});
  return { close: () => worker.close() };
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
