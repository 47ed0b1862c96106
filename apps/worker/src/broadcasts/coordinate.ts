import { randomBytes } from 'node:crypto';
import type { CoordinateJob, Coordination } from '@ruyi/queue';
import { untilServed } from '@ruyi/redis';
import type { BroadcastRecord } from '@ruyi/store';
import type { CoordinatorContext } from './coordinatorContext.ts';
import { feedLanes } from './feedLanes.ts';
import { prepareBroadcast } from './prepareBroadcast.ts';
import { retryFailed } from './retryFailed.ts';

/** A broadcast that waits for its time is looked at this often. */
const LONGEST_WAIT_MS = 3_600_000;
const AGAIN_MS = 200;

/**
 * Coordinates a broadcast (docs/api.md §4) until it has ended or is paused: counts and numbers its recipients, feeds them to
 * the lanes, and settles what became of them. While Redis cannot serve it begins again; every step may be repeated.
 * @param signal aborted when the process stops, and when a connection is lost: what it has found out may not hold any more, so
 *   it takes no further step
 */
export async function coordinate(
  context: CoordinatorContext,
  job: CoordinateJob,
  signal: AbortSignal,
): Promise<Coordination> {
  try {
    return await untilServed(() => coordinateOnce(context, job, signal), signal);
  } catch (error) {
    if (signal.aborted) return {};
    throw error;
  }
}

async function coordinateOnce(
  context: CoordinatorContext,
  { no, run }: CoordinateJob,
  signal: AbortSignal,
): Promise<Coordination> {
  const { broadcasts } = context.store;
  const token = randomBytes(8).toString('hex');
  const { hasWork, waitSeconds } = await broadcasts.take(no, run, token);
  if (waitSeconds > 0) {
    await context.store.recipientLists.mergeAll(no);
    return { againInMs: Math.min(waitSeconds * 1000, LONGEST_WAIT_MS) };
  }
  const record = await broadcasts.read(no);
  if (!record) return {};
  if (hasWork) {
    await context.store.broadcastList.note(no, record.state, 0);
    await untilEnded(context, record, token, signal);
  }
  const after = await broadcasts.read(no);
  // Whoever ended it may have died before everything was put away. If another one ended it meanwhile, this one may have
  // written behind it.
  if (after && after.finishedAt > 0) await putAway(context, after, signal);
  // Redis may have forgotten its last steps: it is taken up once more.
  const isUnfinished = hasWork && !signal.aborted && after?.state === 'running' && after.run === run;
  return isUnfinished ? { againInMs: AGAIN_MS } : {};
}

/** Resolves when it has ended or is paused, when another one coordinates it, or soon after `signal` was aborted. */
async function untilEnded(
  context: CoordinatorContext,
  record: BroadcastRecord,
  token: string,
  signal: AbortSignal,
): Promise<void> {
  const { broadcasts, progress } = context.store;
  const { no } = record;
  try {
    const mustPrepare = record.state === 'running' && !record.isReady && !record.isRetrying;
    const ready = mustPrepare ? await prepareBroadcast(context, record, token, signal) : record;
    if (ready?.ref !== undefined) {
      if (ready.isRetrying && ready.state !== 'paused') {
        await progress.hold(ready.ref);
        await retryFailed(context, ready, { ref: ready.ref, token }, signal);
      }
      await feedLanes(context, ready, ready.ref, token, signal);
    }
    if (!signal.aborted) await end(context, no, token, signal);
  } catch (error) {
    // Once another one has ended it, recipients are missing.
    const { finishedAt = 0 } = (await broadcasts.read(no)) ?? {};
    if (finishedAt === 0) throw error;
  }
}

/** Ends the broadcast if nothing is left of it. */
async function end(context: CoordinatorContext, no: string, token: string, signal: AbortSignal): Promise<void> {
  const { broadcasts, progress } = context.store;
  const before = await broadcasts.read(no);
  if (!before) return;
  const counts = before.ref === undefined ? undefined : await progress.read(before.ref);
  const { total = 0, stored = 0, failed = 0 } = counts ?? {};
  signal.throwIfAborted();
  const state = await broadcasts.finish(no, token, {
    handled: stored + failed,
    allFailed: total > 0 && failed === total,
  });
  if (state === undefined) return;
  const record = (await broadcasts.read(no)) ?? before;
  if (!before.isRetrying) {
    context.counted('stored', stored);
    context.counted('failed', failed);
    context.counted('cancelled', record.cancelled);
    context.counted('duplicate', record.duplicates);
  }
  context.log.info({ broadcast: no, state, total: record.total }, 'broadcast ended');
}

/**
 * Removes what nobody needs once a broadcast has ended, and notes that it has. May be repeated. A Redis that has forgotten the end
 * needs all of it.
 */
async function putAway(context: CoordinatorContext, record: BroadcastRecord, signal: AbortSignal): Promise<void> {
  const { broadcasts, recipientLists, broadcastList, bodies, progress } = context.store;
  const { no, ref, state, claimed, total = 0, finishedAt } = record;
  await recipientLists.remove(no, signal);
  signal.throwIfAborted();
  await broadcasts.removeWork(no);
  if (ref !== undefined) {
    signal.throwIfAborted();
    if (claimed === 0) await bodies.remove(ref);
    // With the last entry that refers to it the body goes: those that were cancelled have none.
    else if (claimed < total) await bodies.setTotal(ref, claimed);
    signal.throwIfAborted();
    await progress.release(ref, context.keepSeconds);
  }
  signal.throwIfAborted();
  await broadcastList.note(no, state, finishedAt);
}
