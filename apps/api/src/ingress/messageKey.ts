import { CHANNEL_TYPE_PERSONAL, type Request, SYSTEM_UID } from '@ruyi/contracts';
import { type Claim, type IdemRecord, idemHash, type Store, shardOf } from '@ruyi/store';
import { messageDigest, requireSameRequest } from './requestDigest.ts';

export type ChannelMessage = Extract<Request<'Send'>, { channel_id: string }>;

/** Where the record of a client_msg_no lies, and what is kept in it. */
export interface MessageKey {
  hash: string;
  /** of the request; '' where the number is ours, so that nobody can repeat it */
  digest: string;
  /** one that the message is written to, so that the store script sees the record */
  shard: number;
  /** of the channel, where this is another one: what a message and a command to it have in common */
  channelShard?: number;
}

/**
 * The shard that a message is written to: that of its log, or of the recipient's inbox. Undefined where nothing is
 * written: the system user has no inbox.
 */
export function targetShard(request: ChannelMessage, channel: string, shards: number): number | undefined {
  const isPersonalCommand = request.header.sync_once === 1 && request.channel_type === CHANNEL_TYPE_PERSONAL;
  if (!isPersonalCommand) return shardOf(channel, shards);
  const uid = request.channel_id === SYSTEM_UID ? request.from_uid : request.channel_id;
  return uid === SYSTEM_UID ? undefined : shardOf(uid, shards);
}

/** @param no the client's number, or ours where it gave none */
export function keyOf(request: ChannelMessage, channel: string, no: string, shards: number): MessageKey {
  const hash = idemHash([request.from_uid, channel], no);
  const channelShard = shardOf(channel, shards);
  const shard = targetShard(request, channel, shards) ?? 0;
  if (request.client_msg_no === '') return { hash, digest: '', shard };
  return { hash, digest: messageDigest(request), shard, ...(shard === channelShard ? {} : { channelShard }) };
}

/**
 * Takes a key for a message, or finds what an earlier request with it got. A personal command's record lies where its
 * inbox is; without a second one where the log is, a message to the log with the same number would not be seen to be
 * another request.
 * @param isStored false where the answer is all there is to keep (no_persist)
 * @throws IdempotencyConflictError where the earlier request was another one
 */
export async function claimKey(
  { idempotency }: Store,
  { hash, digest, shard, channelShard }: MessageKey,
  own: Omit<Claim, 'digest'>,
  isStored: boolean,
): Promise<IdemRecord | undefined> {
  const claim = { ...own, digest };
  if (channelShard !== undefined) requireSameRequest(await idempotency.claim(channelShard, hash, claim), digest);
  const before = isStored
    ? await idempotency.claim(shard, hash, claim)
    : await idempotency.claimAnswer(shard, hash, claim);
  requireSameRequest(before, digest);
  return before;
}
