import { createHash } from 'node:crypto';
import {
  BATCH_REASON_INVALID,
  BATCH_REASON_UNKNOWN,
  InvalidRequestError,
  isName,
  type MessageBody,
  type MessageHeader,
  SYSTEM_UID,
  UnavailableError,
} from '@ruyi/contracts';
import { inSlices, inTurn, planInSlices, SLICE, type Sliced } from '@ruyi/queue';
import { type BatchPlan, idemHash, refOf, type Store, shardOf } from '@ruyi/store';
import type { ApiContext } from '../context.ts';
import { nowSeconds } from './messageFields.ts';

/** A message to many, as both endpoints that can send one see it. */
export interface BroadcastRequest {
  endpoint: 'send' | 'sendbatch';
  header: MessageHeader;
  from: string;
  /** as sent: in request order, with duplicates */
  subscribers: string[];
  /** '' where the client gave none */
  clientMsgNo: string;
  /** the message, once its id and time are known */
  body(own: { id: number; ts: number }): MessageBody;
}

export interface AcceptedBroadcast {
  ref: string;
  plan: BatchPlan;
}

/**
 * Accepts a message to many (§2): sorts out recipients, writes the body once, adds the jobs. Resolves when every job is
 * queued; after an error some may be, and a repeat with the same client_msg_no completes them.
 */
export async function acceptBroadcast(context: ApiContext, request: BroadcastRequest): Promise<AcceptedBroadcast> {
  const losses = context.store.losses();
  const sorted = await sortOut(context, request);
  const toStore = request.header.no_persist ? 0 : sorted.uids.length;
  return context.admission.whileQueueing('fanout', toStore, () => queueOnce(context, request, sorted, losses));
}

/** Queues it, unless an earlier request with this client_msg_no did. */
async function queueOnce(
  context: ApiContext,
  request: BroadcastRequest,
  sorted: Sorted,
  losses: number,
): Promise<AcceptedBroadcast> {
  const { store, config } = context;
  const own = { id: await store.ids.block(Math.max(1, sorted.uids.length)), ts: nowSeconds() };
  const shard = shardOf(request.from, config.shards);
  const hash = request.clientMsgNo === '' ? undefined : idemHash([request.endpoint, request.from], request.clientMsgNo);
  let message = own;
  if (hash !== undefined) {
    const fingerprint = await inTurn(request.subscribers.length, () => fingerprintOf(request));
    const before = await store.idempotency.claim(shard, hash, { ...own, fingerprint });
    if (before) {
      if (before.state === 'accepted' && before.fingerprint !== fingerprint) throw changedRecipients();
      message = { id: before.id, ts: before.ts };
      if (before.state !== 'accepted') {
        const ref = refOf(message.id);
        return { ref, plan: await store.progress.plan(ref, emptyPlan(message.ts)) };
      }
    }
  }
  const ref = refOf(message.id);
  // The first plan counts: a retry stores for exactly those that the first try accepted.
  const layout = { shards: config.shards, lanes: config.lanes };
  const broadcast = { firstId: message.id, from: request.from, cmd: request.header.sync_once === 1 };
  let jobs = await inSlices(sorted.uids.length, planInSlices(broadcast, sorted.uids, layout));
  const toStore = !request.header.no_persist && sorted.uids.length > 0;
  const planned = {
    total: sorted.uids.length,
    toStore,
    createdAt: message.ts,
    refused: sorted.refused,
    firstAt: jobs.firstAt,
  };
  const plan = await store.progress.plan(ref, planned);
  if (plan.total !== planned.total) {
    const refused = new Set(plan.refused.fail_uids);
    const accepted = sorted.valid.filter((uid) => !refused.has(uid));
    jobs = await inSlices(accepted.length, planInSlices(broadcast, accepted, layout));
  }
  if (plan.toStore) {
    const body = request.body(message);
    await store.bodies.write(ref, { body, kind: 'batch', cmd: broadcast.cmd, starts: jobs.starts }, plan.total);
    await context.producer.broadcast(jobs, () => requireMemory(store, losses));
    await store.bodies.confirm(ref, body);
    requireMemory(store, losses);
  }
  if (hash !== undefined) await store.idempotency.markQueued(shard, hash, message);
  return { ref, plan };
}

/**
 * What takes several steps is done and promised only where one connection lasts through all of them: a Redis that comes
 * back after a loss of power may have forgotten the first, so a repeat would not know what the last have queued.
 * @throws UnavailableError: a repeat completes it
 */
export function requireMemory(store: Store, losses: number): void {
  if (store.losses() !== losses) throw new UnavailableError('the connection to Redis was lost meanwhile, try again');
}

const emptyPlan = (createdAt: number): BatchPlan => ({
  total: 0,
  toStore: false,
  createdAt,
  refused: { fail_uids: [], reason: [] },
  firstAt: 0,
});

/** Whether the uid can receive: the system user has no inbox. */
const canReceive = (uid: string, header: MessageHeader) =>
  isName(uid) && !(header.sync_once === 1 && uid === SYSTEM_UID);

interface Sorted {
  /** who gets the message */
  uids: string[];
  /** the same and those who are no users, where only those are served */
  valid: string[];
  refused: BatchPlan['refused'];
}

/** Each uid once, and those that are refused with the reason, in request order. */
async function sortOut(context: ApiContext, request: BroadcastRequest): Promise<Sorted> {
  const { unique, valid } = await inSlices(request.subscribers.length, namesOf(request));
  const unknown =
    context.config.requireKnownUsers && request.endpoint === 'sendbatch'
      ? await context.store.users.unknown(valid)
      : new Set<string>();
  const uids = unknown.size === 0 ? valid : valid.filter((uid) => !unknown.has(uid));
  const refused: BatchPlan['refused'] = { fail_uids: [], reason: [] };
  if (uids.length < unique.size) {
    for (const uid of unique) {
      const isInvalid = !canReceive(uid, request.header);
      if (!isInvalid && !unknown.has(uid)) continue;
      refused.fail_uids.push(uid);
      refused.reason.push(isInvalid ? BATCH_REASON_INVALID : BATCH_REASON_UNKNOWN);
    }
  }
  return { uids, valid, refused };
}

function* namesOf({ subscribers, header }: BroadcastRequest): Sliced<{ unique: Set<string>; valid: string[] }> {
  const unique = new Set<string>();
  const valid: string[] = [];
  for (let i = 0; i < subscribers.length; ) {
    for (const end = Math.min(i + SLICE, subscribers.length); i < end; i++) {
      const uid = subscribers[i] ?? '';
      const before = unique.size;
      // One look at the set instead of two.
      if (unique.add(uid).size > before && canReceive(uid, header)) valid.push(uid);
    }
    yield;
  }
  return { unique, valid };
}

/** Names the recipients of a request, whatever their order. */
function fingerprintOf({ subscribers, header }: BroadcastRequest): string {
  const hash = createHash('sha256').update(`${header.sync_once}${header.no_persist}\n`);
  for (const uid of [...new Set(subscribers)].sort()) hash.update(`${uid}\n`);
  return hash.digest('base64url').slice(0, 22);
}

const changedRecipients = () =>
  new InvalidRequestError([
    {
      path: 'subscribers',
      message: 'differs from the earlier request with this client_msg_no, which is still being queued; repeat that one',
    },
  ]);
