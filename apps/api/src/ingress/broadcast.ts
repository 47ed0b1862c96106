import { type Request, UnavailableError } from '@ruyi/contracts';
import { inSlices } from '@ruyi/flow';
import { type BroadcastPlan, planInSlices } from '@ruyi/queue';
import { type BatchReceipt, idemHash, keys, refOf, type Shard, shardOf } from '@ruyi/store';
import type { ApiContext } from '../context.ts';
import { clientMsgNo, messageBody } from './messageFields.ts';
import {
  positionsOf,
  type Recipients,
  type RefusedRecipients,
  refusedBefore,
  sortInSlices,
  sortOutRecipients,
} from './recipients.ts';
import { batchDigest, formerFingerprint, otherRequest, requireSameRequest } from './requestDigest.ts';
import { requireReplicas, requireUnbrokenConnection } from './unbrokenConnection.ts';

/** A message to many; `subscribers` are in the order of the request, with duplicates. */
export type BroadcastRequest = Request<'SendBatch'> & { stream_no?: string };

/** A batch of as many recipients is listed as a broadcast (docs/api.md §4). */
const LISTED_FROM = 1000;
/** How long a batch may wait for the end of a change of the lanes. */
const CHANGE_SECONDS = 20;

/** Which endpoint the request came to: idempotency keys of one do not count for the other. */
export type BroadcastKind = 'send' | 'sendbatch';

export interface AcceptedBroadcast {
  /** its batch_no */
  ref: string;
  /** message_id of the recipient whom the request names first */
  firstId: number;
  /** the client_msg_no that all of its messages share */
  no: string;
  /** number of recipients */
  accepted: number;
  refused: RefusedRecipients;
  /** an earlier request had this client_msg_no */
  isReplayed: boolean;
}

/** A batch that has its ids. */
interface Batch {
  /** the first of its block; recipient i has id + i */
  id: number;
  ts: number;
  ref: string;
  /** absent without a client_msg_no */
  key?: BatchKey;
  /** how far an earlier request with this client_msg_no is known to have come */
  before: 'unknown' | 'accepted' | 'queued';
}

/** Where the record of a batch's client_msg_no lies, and what is compared with it. */
interface BatchKey {
  shard: Shard;
  hash: string;
  digest: string;
  /** every string of `subscribers` once */
  sorted: string[];
}

/**
 * Accepts a message to many (docs/api.md §2): sorts out the recipients, writes the body once, adds the jobs. Resolves
 * when every job is queued. After an error some jobs may be queued; a retry with the same client_msg_no adds the others.
 * @throws IdempotencyConflictError, and then nothing was queued
 */
export async function acceptBroadcast(
  context: ApiContext,
  kind: BroadcastKind,
  request: BroadcastRequest,
): Promise<AcceptedBroadcast> {
  const losses = context.store.connectionLosses();
  const no = clientMsgNo(request.client_msg_no);
  const requireKnown = context.config.requireKnownUsers && kind === 'sendbatch';
  const recipients = await sortOutRecipients(context, request, requireKnown);
  const toStore = request.header.no_persist ? 0 : recipients.uids.length;
  context.admission.enter('fanout', toStore);
  try {
    const batch = await claimBatch(context, kind, request, recipients);
    const { receipt, refused, jobs } = await openBatch(context, request, recipients, batch);
    if (batch.before !== 'queued') await queueBatch(context, { ...request, no, kind }, batch, receipt, jobs, losses);
    await requireReplicas(context.store, keysOf(batch), losses);
    const firstId = batch.id + receipt.firstAt;
    return { ref: batch.ref, firstId, no, accepted: receipt.total, refused, isReplayed: batch.before !== 'unknown' };
  } finally {
    context.admission.leave('fanout', toStore);
  }
}

/** All that is written for a batch besides its jobs. */
const keysOf = ({ ref, key }: Batch): string[] => [
  keys.body(ref),
  keys.progress(ref),
  ...(key === undefined ? [] : [keys.idem(key.shard, key.hash)]),
];

/** Gives the batch its ids: new ones, or those of an earlier request with the same client_msg_no. */
async function claimBatch(
  { store }: ApiContext,
  kind: BroadcastKind,
  request: BroadcastRequest,
  { unique, uids }: Recipients,
): Promise<Batch> {
  const proposed = { id: await store.ids.block(Math.max(1, uids.length)), ts: await store.now() };
  if (request.client_msg_no === '') return { ...proposed, ref: refOf(proposed.id), before: 'unknown' };
  const sorted = await inSlices(unique.size, sortInSlices(unique));
  const digest = await inSlices(unique.size, batchDigest(request, sorted));
  const shard = shardOf(request.from_uid, store.layout.shards);
  const hash = idemHash([kind, request.from_uid], request.client_msg_no);
  const record = await store.idempotency.claim(shard, hash, { ...proposed, digest });
  requireSameRequest(record, digest);
  const isFormer = record?.state === 'accepted' && record.fingerprint !== undefined;
  if (isFormer && record.fingerprint !== formerFingerprint(request.header, sorted)) throw otherRequest();
  const { id, ts } = record ?? proposed;
  const before = record ? (record.state === 'accepted' ? 'accepted' : 'queued') : 'unknown';
  return { id, ts, ref: refOf(id), key: { shard, hash, digest, sorted }, before };
}

interface OpenBatch {
  receipt: BatchReceipt;
  refused: RefusedRecipients;
  jobs: BroadcastPlan;
}

/** Keeps what the batch is accepted as. The first receipt counts: a retry stores for exactly the recipients in it. */
async function openBatch(
  { store, queues, config }: ApiContext,
  { header, from_uid: from }: BroadcastRequest,
  recipients: Recipients,
  batch: Batch,
): Promise<OpenBatch> {
  const { lanes, first = lanes } = queues.plan;
  const plan = (uids: string[], cutFor: number) => {
    const broadcast = { firstId: batch.id, from, cmd: header.sync_once === 1 };
    return inSlices(uids.length, planInSlices(broadcast, uids, { shards: config.shards, lanes: cutFor }));
  };
  const { unique, valid } = recipients;
  const sorted = batch.key?.sorted ?? [];
  const isQueued = batch.before === 'queued';
  const uids = isQueued ? [] : recipients.uids;
  const jobs = await plan(uids, lanes);
  const receipt = await store.progress.open(batch.ref, {
    total: uids.length,
    toStore: !header.no_persist && uids.length > 0,
    createdAt: batch.ts,
    firstAt: jobs.firstAt,
    lanes,
    refused: await inSlices(sorted.length, positionsOf(sorted, recipients.refused)),
    from,
    invalid: recipients.refused.size,
  });
  if (batch.before === 'unknown') return { receipt, refused: recipients.refused, jobs };
  const refused = await inSlices(unique.size, refusedBefore(unique, sorted, receipt.refused));
  // What an earlier version accepted was cut for the lanes of before the first change.
  const cutFor = receipt.lanes ?? first;
  if (isQueued || (receipt.total === uids.length && cutFor === lanes)) return { receipt, refused, jobs };
  const accepted = receipt.total === uids.length ? uids : valid.filter((uid) => !refused.has(uid));
  return { receipt, refused, jobs: await plan(accepted, cutFor) };
}

/** Writes the body, adds every job, then records that a retry has nothing to add. */
async function queueBatch(
  context: ApiContext,
  request: BroadcastRequest & { no: string; kind: BroadcastKind },
  { id, ts, ref, key }: Batch,
  receipt: BatchReceipt,
  jobs: BroadcastPlan,
  losses: number,
): Promise<void> {
  const { store, producer, config } = context;
  if (receipt.toStore) {
    const guard = () => requireUnbrokenConnection(store, losses);
    const body = messageBody(request, { id, ts, no: request.no });
    const cmd = request.header.sync_once === 1;
    if (request.kind === 'sendbatch' && receipt.total >= LISTED_FROM)
      await store.broadcastList.addBatch(ref, (ts - config.broadcastKeepDays * 86_400) * 1000);
    await store.bodies.write(ref, { body, kind: 'batch', cmd, starts: jobs.starts }, receipt.total);
    // A job may run at once. What refers to a body must never outlive it.
    await requireReplicas(store, [keys.body(ref)], losses);
    const isInOrder = await producer.broadcast(jobs, guard);
    await store.bodies.confirm(ref, body);
    guard();
    if (!isInOrder) await untilNobodyCanOvertake(context, ref, id);
  }
  if (key) await store.idempotency.markQueued(key.shard, key.hash, { id, ts, digest: key.digest });
}

/**
 * A batch whose lanes changed while it was added is answered once it is stored: what is sent after the answer must not overtake
 * it (decision 78). That happens to the few batches that are being added at that moment, and to repeats of such.
 */
async function untilNobodyCanOvertake({ waiter, store }: ApiContext, ref: string, id: number): Promise<void> {
  const look = async () => {
    const progress = await store.progress.read(ref);
    return progress && progress.finished_at > 0 ? 0 : undefined;
  };
  if ((await waiter.wait(id, CHANGE_SECONDS, look)) !== undefined) return;
  throw new UnavailableError('the number of lanes is being changed and this batch is not stored yet, try again', 5);
}
