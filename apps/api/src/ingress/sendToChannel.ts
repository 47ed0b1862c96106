import { CHANNEL_TYPE_PERSONAL, channelName, type SendItem } from '@ruyi/contracts';
import type { Guard } from '@ruyi/queue';
import { keys, refOf } from '@ruyi/store';
import type { ApiContext } from '../context.ts';
import { clientMsgNo, messageBody } from './messageFields.ts';
import { type ChannelMessage, claimKey, keyOf, type MessageKey, recordKeys, targetShard } from './messageKey.ts';
import { requireReplicas, requireUnbrokenConnection } from './unbrokenConnection.ts';

/** What became of a message that was sent. */
export interface SentMessage {
  id: number;
  /** its client_msg_no */
  no: string;
  /** seq in its log, 0 if it has none; absent unless it is known to be stored */
  seq?: number;
  /** an earlier request had this client_msg_no */
  isReplayed: boolean;
}

interface Queued {
  sent: SentMessage;
  /** there if the message was queued just now and the caller waits; resolves with the seq if that comes in time */
  stored: Promise<number | undefined> | undefined;
}

/** A message on its way to a queue. */
interface Draft {
  request: ChannelMessage;
  /** the channel's name */
  channel: string;
  no: string;
  /** undefined if nobody can repeat the request */
  key: MessageKey | undefined;
  waitSeconds: number;
  guard: Guard;
}

/**
 * Sends a message to one channel (docs/api.md §2, /message/send): to its log, or with sync_once to inboxes. Resolves once
 * it is queued; if the caller waits, once it is stored or the time is up.
 * @param waitSeconds how long to wait for that; 0 means not at all
 * @throws IdempotencyConflictError, and then nothing was queued
 */
export async function sendToChannel(
  context: ApiContext,
  request: ChannelMessage,
  waitSeconds: number,
): Promise<SentMessage> {
  const { store, admission } = context;
  const { shards } = store.layout;
  const losses = store.connectionLosses();
  const channel = channelName(request.channel_type, request.channel_id, request.from_uid);
  const no = clientMsgNo(request.client_msg_no);
  // Both are nearly always known at once.
  let id = store.ids.one();
  if (typeof id !== 'number') id = await id;
  let ts = store.now();
  if (typeof ts !== 'number') ts = await ts;
  const proposed = { id, ts };
  const isStored = !request.header.no_persist && targetShard(request, channel, shards) !== undefined;
  // Nobody can repeat a generated client_msg_no, so it needs a record only if this request waits and looks it up.
  const isKeyed = request.client_msg_no !== '' || (isStored && waitSeconds > 0);
  const key = isKeyed ? keyOf(request, channel, no, shards) : undefined;

  if (!isStored) {
    if (key === undefined) return { id: proposed.id, no, isReplayed: false };
    admission.requireFreeMemory();
    const before = await claimKey(store, key, proposed, false);
    await requireReplicas(store, recordKeys(key), losses);
    return before ? replayOf(before, no) : { id: proposed.id, no, isReplayed: false };
  }
  const guard = () => requireUnbrokenConnection(store, losses);
  const draft: Draft = { request, channel, no, key, waitSeconds, guard };
  const isGroup = isGroupCommand(request);
  const recipients = isGroup ? Math.max(1, await store.channels.count(channel)) : 1;
  const kind = isGroup ? 'fanout' : 'send';
  admission.enter(kind, recipients);
  let queued: Queued;
  try {
    queued = await queueOnce(context, draft, { ...proposed, recipients });
  } finally {
    admission.leave(kind, recipients);
  }
  const { sent, stored } = queued;
  const seq = stored && (await stored);
  if (store.replicas.count > 0) await requireReplicas(store, key ? recordKeys(key) : [], losses);
  if (stored === undefined) return sent;
  if (seq !== undefined) return { ...sent, seq: request.header.sync_once ? 0 : seq };
  guard();
  return sent;
}

const isGroupCommand = ({ header, channel_type }: ChannelMessage) =>
  header.sync_once === 1 && channel_type !== CHANNEL_TYPE_PERSONAL;

const replayOf = (before: { id: number; seq?: number }, no: string): SentMessage => ({
  id: before.id,
  no,
  isReplayed: true,
  ...(before.seq === undefined ? {} : { seq: before.seq }),
});

/** What a message is called and when it came, for how many recipients. */
interface Identity {
  id: number;
  ts: number;
  recipients: number;
}

/** Queues a message, unless an earlier request with its key did. */
async function queueOnce(context: ApiContext, draft: Draft, proposed: Identity): Promise<Queued> {
  const { key, no } = draft;
  const before = key && (await claimKey(context.store, key, proposed, true));
  if (before && before.state !== 'accepted') return { sent: replayOf(before, no), stored: undefined };
  const identity = before ?? proposed;
  const item = itemOf(context, draft, identity);
  const stored = draft.waitSeconds > 0 ? untilStored(context, draft, identity.id) : undefined;
  if (isGroupCommand(draft.request)) await queueGroupCommand(context, item, identity.recipients, draft.guard);
  else await context.producer.send(item, draft.guard);
  return { sent: { id: identity.id, no, isReplayed: before !== undefined }, stored };
}

function itemOf({ producer }: ApiContext, { request, channel, no, key, waitSeconds }: Draft, { id, ts }: Identity) {
  const item: SendItem = { ...messageBody(request, { id, ts, no }), ch: channel };
  if (request.header.sync_once) item.cmd = 1;
  if (key !== undefined) item.idem = key.hash;
  if (key !== undefined && key.digest !== '') item.digest = key.digest;
  if (waitSeconds > 0) item.wait = producer.name;
  return item;
}

function untilStored({ store, waiter }: ApiContext, { key, waitSeconds }: Draft, id: number) {
  return waiter.wait(id, waitSeconds, async () => {
    const record = key === undefined ? undefined : await store.idempotency.read(key.shard, key.hash);
    return record?.state === 'stored' ? record.seq : undefined;
  });
}

async function queueGroupCommand(
  { store, producer }: ApiContext,
  item: SendItem,
  recipients: number,
  guard: Guard,
): Promise<void> {
  const { ch, idem, digest, cmd: _cmd, wait: _wait, ...body } = item;
  const ref = refOf(item.id);
  await store.bodies.write(ref, { body, kind: 'group', ch, cmd: true, starts: [] }, 0);
  const job = { ref, ch, ...(idem === undefined ? {} : { idem }), ...(digest === undefined ? {} : { digest }) };
  await producer.groupCommand(job, guard, recipients);
  await store.bodies.confirm(ref, body);
  await store.replicas.confirm([keys.body(ref)]);
}
