import { type BroadcastAnswer, NotFoundError } from '@ruyi/contracts';
import { type BroadcastRecord, batchByNo, broadcastByNo, isRef, type Store } from '@ruyi/store';

/** A broadcast by its number, or a batch by its batch_no. @throws NotFoundError */
export async function readBroadcast(store: Store, no: string): Promise<BroadcastAnswer> {
  const answer = isRef(no) ? ((await broadcastByNo(store, no)) ?? (await batchByNo(store, no))) : undefined;
  if (!answer) throw unknownBroadcast();
  return answer;
}

/** The record of a broadcast that is no batch. @throws NotFoundError */
export async function recordOf(store: Store, no: string): Promise<BroadcastRecord> {
  const record = isRef(no) ? await store.broadcasts.read(no) : undefined;
  if (!record) throw unknownBroadcast();
  return record;
}

export const unknownBroadcast = () => new NotFoundError('broadcast_no: no such broadcast; see BROADCAST_KEEP_DAYS');
