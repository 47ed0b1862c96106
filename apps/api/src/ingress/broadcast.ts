import type { MessageBody } from '@ruyi/contracts';
import { inSlices } from '@ruyi/flow';
import { type BroadcastPlan, planInSlices } from '@ruyi/queue';
import { type BatchReceipt, idemHash, refOf, shardOf } from '@ruyi/store';
import type { ApiContext } from '../context.ts';
import { nowSeconds } from './messageFields.ts';
import {
  type Failures,
  failuresOf,
  positionsOf,
  type Recipients,
  refusedBefore,
  sortInSlices,
  sortOutRecipients,
} from './recipients.ts';
import {
  batchDigest,
  formerFingerprint,
  otherRequest,
  type RepeatedFields,
  requireSameRequest,
} from './requestDigest.ts';
import { requireUnbrokenConnection } from './unbrokenConnection.ts';

/** A message to many, as both endpoints that can send one see it. */
export interface BroadcastRequest {
  endpoint: 'send' | 'sendbatch';
  message: RepeatedFields;
  from: string;
  /** as sent: in request order, with duplicates */
  subscribers: string[];
  /** '' where the client gave none */
  clientMsgNo: string;
  /** the message, once its id and time are known */
  body(own: { id: number; ts: number }): MessageBody;
}

export interface AcceptedBroadcast {
  /** its batch_no */
  ref: string;
  receipt: BatchReceipt;
  failures: Failures;
  /** an earlier request had this client_msg_no */
  isReplayed: boolean;
}

/** A batch that has its ids. */
interface Batch {
  id: number;
  ts: number;
  ref: string;
  /** absent without a client_msg_no */
  key?: BatchKey;
  before: 'unknown' | 'accepted' | 'queued';
}

interface BatchKey {
  shard: number;
  hash: string;
  digest: string;
  /** every string of the request once */
  sorted: string[];
}

/**
 * Accepts a message to many (docs/api.md §2): sorts out recipients, writes the body once, adds the jobs. Resolves when
 * every job is queued; after an error some may be, and a repeat with the same client_msg_no completes them.
 * @throws IdempotencyConflictError, and then nothing was queued
 */
export async function acceptBroadcast(context: ApiContext, request: BroadcastRequest): Promise<AcceptedBroadcast> {
  const losses = context.store.connectionLosses();
  const { header } = request.message;
  const requireKnown = context.config.requireKnownUsers && request.endpoint === 'sendbatch';
  const recipients = await sortOutRecipients(context, { subscribers: request.subscribers, header }, requireKnown);
  const toStore = header.no_persist ? 0 : recipients.uids.length;
  return context.admission.whileQueueing('fanout', toStore, async () => {
    const batch = await claimBatch(context, request, recipients);
    const { receipt, refused, jobs } = await openBatch(context, request, recipients, batch);
    if (batch.before !== 'queued') await queueBatch(context, request, batch, receipt, jobs, losses);
    return { ref: batch.ref, receipt, failures: failuresOf(refused), isReplayed: batch.before !== 'unknown' };
  });
}

/** Gives the batch its ids, or those that an earlier request with its client_msg_no got. */
async function claimBatch(
  { store, config }: ApiContext,
  { clientMsgNo, endpoint, from, message }: BroadcastRequest,
  { unique, uids }: Recipients,
): Promise<Batch> {
  const own = { id: await store.ids.block(Math.max(1, uids.length)), ts: nowSeconds() };
  if (clientMsgNo === '') return { ...own, ref: refOf(own.id), before: 'unknown' };
  const sorted = await inSlices(unique.size, sortInSlices(unique));
  const digest = await inSlices(unique.size, batchDigest(message, sorted));
  const shard = shardOf(from, config.shards);
  const hash = idemHash([endpoint, from], clientMsgNo);
  const record = await store.idempotency.claim(shard, hash, { ...own, digest });
  requireSameRequest(record, digest);
  const isFormer = record?.state === 'accepted' && record.fingerprint !== undefined;
  if (isFormer && record.fingerprint !== formerFingerprint(message.header, sorted)) throw otherRequest();
  const { id, ts } = record ?? own;
  const before = record ? (record.state === 'accepted' ? 'accepted' : 'queued') : 'unknown';
  return { id, ts, ref: refOf(id), key: { shard, hash, digest, sorted }, before };
}

interface OpenBatch {
  receipt: BatchReceipt;
  refused: Recipients['refused'];
  jobs: BroadcastPlan;
}

/** Keeps what the batch is accepted as. The first receipt counts: a repeat stores for exactly those it accepted. */
async function openBatch(
  { store, config }: ApiContext,
  { message: { header }, from }: BroadcastRequest,
  recipients: Recipients,
  batch: Batch,
): Promise<OpenBatch> {
  const plan = (uids: string[]) => {
    const broadcast = { firstId: batch.id, from, cmd: header.sync_once === 1 };
    return inSlices(uids.length, planInSlices(broadcast, uids, { shards: config.shards, lanes: config.lanes }));
  };
  const { unique, valid, uids } = recipients;
  const sorted = batch.key?.sorted ?? [];
  const jobs = await plan(batch.before === 'queued' ? [] : uids);
  const receipt = await store.progress.open(batch.ref, {
    total: batch.before === 'queued' ? 0 : uids.length,
    toStore: batch.before !== 'queued' && !header.no_persist && uids.length > 0,
    createdAt: batch.ts,
    firstAt: jobs.firstAt,
    refused: await inSlices(sorted.length, positionsOf(sorted, recipients.refused)),
  });
  if (batch.before === 'unknown') return { receipt, refused: recipients.refused, jobs };
  const refused = await inSlices(unique.size, refusedBefore(unique, sorted, receipt.refused));
  if (batch.before === 'queued' || receipt.total === uids.length) return { receipt, refused, jobs };
  return { receipt, refused, jobs: await plan(valid.filter((uid) => !refused.has(uid))) };
}

/** Writes the body and adds every job, then notes that a repeat has nothing to add. */
async function queueBatch(
  { store, producer }: ApiContext,
  request: BroadcastRequest,
  { id, ts, ref, key }: Batch,
  receipt: BatchReceipt,
  jobs: BroadcastPlan,
  losses: number,
): Promise<void> {
  if (receipt.toStore) {
    const guard = () => requireUnbrokenConnection(store, losses);
    const body = request.body({ id, ts });
    const cmd = request.message.header.sync_once === 1;
    await store.bodies.write(ref, { body, kind: 'batch', cmd, starts: jobs.starts }, receipt.total);
    await producer.broadcast(jobs, guard);
    await store.bodies.confirm(ref, body);
    guard();
  }
  if (key) await store.idempotency.markQueued(key.shard, key.hash, { id, ts, digest: key.digest });
}
