import {
  BROADCAST,
  codeOfReason,
  DEAD_QUEUE,
  GROUP_COMMAND,
  type JobKind,
  type Problem,
  queueKey,
  retriedIn,
  SEND,
  settleRetried,
  withoutRetried,
} from '@ruyi/queue';
import { untilServed } from '@ruyi/redis';
import { damagedKey, isDamage, type JobRun, keys } from '@ruyi/store';
import type { z } from 'zod';
import { toDeadLetters } from './deadLetter.ts';
import type { LaneContext, LaneRun } from './laneContext.ts';
import { noteFailedJob, storeBroadcast } from './storeBroadcast.ts';
import { storeGroupCommand } from './storeGroupCommand.ts';
import { storeMessages } from './storeMessages.ts';

type Handler = (context: LaneContext, run: LaneRun, data: unknown) => Promise<void>;

class InvalidJobError extends Error {}

function handler<S extends z.ZodType>(
  kind: JobKind<S>,
  handle: (context: LaneContext, run: LaneRun, data: z.output<S>) => Promise<void>,
): [string, Handler] {
  return [
    kind.name,
    (context, run, data) => {
      const parsed = kind.schema.safeParse(data);
      if (!parsed.success) {
        const [issue] = parsed.error.issues;
        throw new InvalidJobError(`invalid ${kind.name} job: ${issue?.path.join('.')}: ${issue?.message}`);
      }
      return handle(context, run, parsed.data);
    },
  ];
}

const HANDLERS = new Map<string, Handler>([
  handler(SEND, (context, run, { items }) => storeMessages(context, run, items)),
  handler(BROADCAST, storeBroadcast),
  handler(GROUP_COMMAND, storeGroupCommand),
]);

/**
 * Runs a lane's job. If no handler understands it, or it needs data that is damaged in Redis, the whole job becomes a
 * dead letter and the lane continues. Such damage is noticed before anything is stored. If a store script notices
 * damage, only the affected items become dead letters.
 */
export async function handleLaneJob(
  context: LaneContext,
  run: JobRun,
  job: { name: string; data: unknown },
): Promise<void> {
  const { store } = context;
  const onReplicas = (written: string[]) => untilServed(() => store.replicas.confirm(written), run.signal);
  // If the end of the job before were lost after this one has written, that job would run again behind it.
  await onReplicas([queueKey(context.lane)]);
  await storeJob(context, run, job);
  // The store scripts have waited for what they wrote. This is what follows from it, and is on other masters.
  const ref = refIn(job.data);
  await onReplicas([DEAD_QUEUE.prefix, ...(ref === undefined ? [] : [keys.progress(ref), keys.body(ref)])]);
}

async function storeJob(context: LaneContext, run: JobRun, job: { name: string; data: unknown }): Promise<void> {
  const retried = retriedIn(job.data);
  const laneRun: LaneRun = { ...run, retried };
  try {
    const handle = HANDLERS.get(job.name);
    if (!handle) throw new InvalidJobError(`no handler for ${job.name} jobs`);
    await handle(context, laneRun, job.data);
  } catch (error) {
    if (!(error instanceof InvalidJobError) && !isDamage(error)) throw error;
    const problem = await untilServed(() => problemOfJob(context, error), run.signal);
    const letter = { name: job.name, reason: error.message, data: withoutRetried(job.data), problems: [problem] };
    await toDeadLetters(context, laneRun, [{ part: 'job', letter }]);
    const broadcast = job.name === BROADCAST.name ? BROADCAST.schema.safeParse(job.data) : undefined;
    if (broadcast?.success) await noteFailedJob(context, laneRun, broadcast.data, error.message);
  }
  if (retried) await untilServed(() => settleRetried(context.queues, retried), run.signal);
}

/** Why a job failed as a whole, and which key is to blame. */
async function problemOfJob({ queues }: LaneContext, error: Error): Promise<Problem> {
  const reason = error.message;
  if (error instanceof InvalidJobError) return { code: 'invalid_job', reason, count: 1 };
  const key = damagedKey(error);
  const code = codeOfReason(reason, 'damaged');
  if (key === undefined) return { code, reason, count: 1 };
  return { code, reason, count: 1, key, ...(code === 'wrong_type' ? { found: await queues.redis.type(key) } : {}) };
}

const refIn = (data: unknown): string | undefined =>
  typeof data === 'object' && data !== null && 'ref' in data && typeof data.ref === 'string' ? data.ref : undefined;
