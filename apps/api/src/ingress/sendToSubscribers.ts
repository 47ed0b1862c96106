import type { ApiContext } from '../context.ts';
import { acceptBroadcast, type BroadcastRequest } from './broadcast.ts';
import type { SentMessage } from './sendToChannel.ts';

/**
 * Sends a message to many (docs/api.md §2, /message/send with `subscribers`). Resolves once it is queued; if the caller
 * waits, once all recipients have it or the time is up.
 * @param waitSeconds how long to wait for that; 0 means not at all
 * @returns the message of the recipient who is named first. Its seq is 0 if all messages are stored
 * @throws IdempotencyConflictError, and then nothing was queued
 */
export async function sendToSubscribers(
  context: ApiContext,
  request: BroadcastRequest,
  waitSeconds: number,
): Promise<SentMessage> {
  const { ref, firstId, no, isReplayed } = await acceptBroadcast(context, 'send', request);
  const isStored = waitSeconds > 0 && (await isStoredWithin(context, ref, firstId, waitSeconds));
  return { id: firstId, no, isReplayed, ...(isStored ? { seq: 0 } : {}) };
}

/** Whether every recipient of a broadcast has it before the time is up. */
async function isStoredWithin({ waiter, store }: ApiContext, ref: string, id: number, seconds: number) {
  const look = async () => {
    const progress = await store.progress.read(ref);
    return progress && progress.stored === progress.total ? 0 : undefined;
  };
  return (await waiter.wait(id, seconds, look)) !== undefined;
}
