import { BROADCAST, GROUP_COMMAND, type JobKind, SEND } from '@ruyi/queue';
import { isDamage, type JobRun } from '@ruyi/store';
import type { z } from 'zod';
import { toDeadLetters } from './deadLetter.ts';
import type { LaneContext } from './laneContext.ts';
import { storeBroadcast } from './storeBroadcast.ts';
import { storeGroupCommand } from './storeGroupCommand.ts';
import { storeMessages } from './storeMessages.ts';

type Handler = (context: LaneContext, run: JobRun, data: unknown) => Promise<void>;

class InvalidJobError extends Error {}

function handler<S extends z.ZodType>(
  kind: JobKind<S>,
  handle: (context: LaneContext, run: JobRun, data: z.output<S>) => Promise<void>,
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
  try {
    const handle = HANDLERS.get(job.name);
    if (!handle) throw new InvalidJobError(`no handler for ${job.name} jobs`);
    await handle(context, run, job.data);
  } catch (error) {
    if (!(error instanceof InvalidJobError) && !isDamage(error)) throw error;
    await toDeadLetters(context, run, 'job', {
      queue: context.lane,
      name: job.name,
      reason: error.message,
      data: job.data,
    });
  }
}
