import { CHANNEL_TYPE_PERSONAL, type Request, SYSTEM_UID } from '@ruyi/contracts';
import { type Claim, type IdemRecord, idemHash, keys, type Shard, type Shards, type Store, shardOf } from '@ruyi/store';
import { messageDigest, requireSameRequest } from './requestDigest.ts';

export type ChannelMessage = Extract<Request<'Send'>, { channel_id: string }>;

/** Where the idempotency record of a message lies, and what it is compared with. */
export interface MessageKey {
  hash: string;
  /** of the request; '' if the client_msg_no was generated, because then nobody can repeat it */
  digest: string;
  /** a shard that the message is written to, so that the store script sees the record */
  shard: Shard;
  /** the channel's shard, if it is another one: a message and a command to the same channel both have it */
  channelShard?: Shard;
}

/**
 * The shard that a message is written to: its log's, or the recipient's inbox's. Undefined if nothing is written, because
 * the system user has no inbox.
 */
export function targetShard(request: ChannelMessage, channel: string, shards: Shards): Shard | undefined {
  const isPersonalCommand = request.header.sync_once === 1 && request.channel_type === CHANNEL_TYPE_PERSONAL;
  if (!isPersonalCommand) return shardOf(channel, shards);
  const uid = request.channel_id === SYSTEM_UID ? request.from_uid : request.channel_id;
  return uid === SYSTEM_UID ? undefined : shardOf(uid, shards);
}

/** @param no the client's client_msg_no, or the generated one */
export function keyOf(request: ChannelMessage, channel: string, no: string, shards: Shards): MessageKey {
  const hash = idemHash([request.from_uid, channel], no);
  const channelShard = shardOf(channel, shards);
  const shard = targetShard(request, channel, shards) ?? shards.tags[0] ?? '';
  if (request.client_msg_no === '') return { hash, digest: '', shard };
  return { hash, digest: messageDigest(request), shard, ...(shard === channelShard ? {} : { channelShard }) };
}

/** What `claimKey` writes. */
export const recordKeys = ({ hash, shard, channelShard }: MessageKey): string[] =>
  [shard, ...(channelShard === undefined ? [] : [channelShard])].map((one) => keys.idem(one, hash));

/**
 * Claims a key for a message, or returns the record of an earlier request with that key. The record of a personal command
 * lies in the shard of its inbox. It has a second one in the shard of the log; otherwise a message to the log with the
 * same client_msg_no would not be noticed as another request.
 * @param isStored false if only the answer is kept (no_persist)
 * @throws IdempotencyConflictError if the earlier request was another one
 */
export async function claimKey(
  { idempotency }: Store,
  { hash, digest, shard, channelShard }: MessageKey,
  proposed: Omit<Claim, 'digest'>,
  isStored: boolean,
): Promise<IdemRecord | undefined> {
  const claim = { ...proposed, digest };
  if (channelShard !== undefined) requireSameRequest(await idempotency.claim(channelShard, hash, claim), digest);
  const before = isStored
    ? await idempotency.claim(shard, hash, claim)
    : await idempotency.claimAnswer(shard, hash, claim);
  requireSameRequest(before, digest);
  return before;
}
