import { type BroadcastState, WrongStateError } from '@ruyi/contracts';
import { addCoordinator } from '@ruyi/queue';
import { type BroadcastAction, isRef, keys } from '@ruyi/store';
import type { ApiContext } from '../context.ts';
import { requireReplicas } from '../ingress/unbrokenConnection.ts';
import { recordOf } from './broadcastAnswer.ts';
import { requireSoon } from './createBroadcast.ts';

/** In which states an action leaves a broadcast, or finds it when it is repeated (store's broadcasts.ts). */
const FITTING: Record<BroadcastAction, BroadcastState[]> = {
  start: ['scheduled', 'running', 'done', 'failed'],
  pause: ['paused'],
  resume: ['running'],
  cancel: ['cancelled'],
  retry: ['running', 'done', 'failed', 'cancelled'],
};
/** These lead to more in memory; the others are ways out of a full one. */
const NEEDS_MEMORY: BroadcastAction[] = ['start', 'resume', 'retry'];

/**
 * Starts, pauses, resumes, cancels or retries a broadcast (docs/api.md §4), and asks for a coordinator. If this process dies
 * in between, a worker notices that one is missing.
 * @param startAt of a start: when it begins instead
 * @throws NotFoundError, WrongStateError, OverloadedError, InvalidRequestError
 */
export async function changeBroadcast(
  context: ApiContext,
  no: string,
  action: BroadcastAction,
  startAt?: number,
): Promise<void> {
  const { store, queues, admission } = context;
  const losses = store.connectionLosses();
  if (NEEDS_MEMORY.includes(action)) admission.requireFreeMemory();
  const {
    state,
    isRetrying,
    finishedAt,
    ref,
    startAt: known,
  } = await recordOf(store, no).catch(async (error: unknown) => {
    if (isRef(no) && (await store.progress.read(no)))
      throw new WrongStateError('this is a batch: it cannot be changed');
    throw error;
  });
  if (action === 'retry') {
    const hasEnded = finishedAt > 0;
    if (!hasEnded && !(state === 'running' && isRetrying)) throw wrongState(action, state);
    const progress = ref === undefined ? undefined : await store.progress.read(ref);
    if (hasEnded && (progress?.failed ?? 0) === 0) return;
  }
  if (startAt !== undefined) requireSoon(startAt, await store.now());
  const change = await store.broadcasts.change(no, action, startAt);
  if (!change) throw new WrongStateError('the broadcast was removed');
  if (change.after === 'empty') throw new WrongStateError('nothing was uploaded, so there is nothing to start');
  if (!FITTING[action].includes(change.after)) throw wrongState(action, change.after);
  const hasBegun = change.before !== 'open' && change.before !== 'scheduled';
  // With the time that it has, this is a repeat.
  if (hasBegun && startAt !== undefined && startAt !== known) {
    throw new WrongStateError(`the broadcast is ${change.after}: it is too late to say when it begins`);
  }
  await store.broadcastList.note(no, change.after, 0);
  if (change.needsCoordinator) await addCoordinator(queues, { no, run: change.run });
  await requireReplicas(store, [keys.about(no)], losses);
}

const wrongState = (action: BroadcastAction, state: string) =>
  new WrongStateError(`the broadcast is ${state}: it cannot be told to ${action}`);
