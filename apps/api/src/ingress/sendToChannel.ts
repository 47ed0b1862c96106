import {
  CHANNEL_TYPE_PERSONAL,
  channelName,
  type Request,
  type SendAnswer,
  type SendItem,
  SYSTEM_UID,
} from '@ruyi/contracts';
import type { Guard } from '@ruyi/queue';
import { type IdemRecord, idemHash, refOf, shardOf } from '@ruyi/store';
import type { ApiContext } from '../context.ts';
import type { Answered } from '../http/route.ts';
import { requireMemory } from './broadcast.ts';
import { clientMsgNo, messageBody, nowSeconds } from './messageFields.ts';

export type ChannelMessage = Extract<Request<'Send'>, { channel_id: string }>;

/** A message to one channel (§2, /message/send): its log, or with sync_once inboxes. Answered once it is queued. */
export async function sendToChannel(
  context: ApiContext,
  request: ChannelMessage,
  waitSeconds: number,
): Promise<Answered> {
  const { store } = context;
  const losses = store.losses();
  const channel = channelName(request.channel_type, request.channel_id, request.from_uid);
  const no = clientMsgNo(request.client_msg_no);
  const own = { id: await store.ids.one(), ts: nowSeconds() };
  const target = idemTarget(context, request, channel);
  // Nobody can ask again for what has a number of ours, unless this very request waits for it.
  const idem = request.client_msg_no !== '' || waitSeconds > 0 ? idemHash([request.from_uid, channel], no) : undefined;

  if (request.header.no_persist || target === undefined) {
    const before = idem && (await store.idempotency.claimAnswer(target ?? 0, idem, own));
    return answerWith(before || own, no);
  }
  const isGroupCommand = request.header.sync_once === 1 && request.channel_type !== CHANNEL_TYPE_PERSONAL;
  const kind = isGroupCommand ? 'fanout' : 'send';
  const queued = await context.admission.whileQueueing(kind, 1, async () => {
    const before = idem && (await store.idempotency.claim(target, idem, own));
    if (before && before.state !== 'accepted') return { before };

    const { id, ts } = before || own;
    const item: SendItem = {
      ...messageBody(request, { id, ts, no }),
      ch: channel,
      ...(request.header.sync_once ? { cmd: 1 } : {}),
      ...(idem === undefined ? {} : { idem }),
      ...(waitSeconds > 0 ? { wait: context.producer.name } : {}),
    };
    const look = async () => {
      const record = idem === undefined ? undefined : await store.idempotency.read(target, idem);
      return record?.state === 'stored' ? record.seq : undefined;
    };
    const stored = waitSeconds > 0 ? context.waiter.wait(id, waitSeconds, look) : Promise.resolve(undefined);
    const guard = () => requireMemory(store, losses);
    if (isGroupCommand) await queueGroupCommand(context, item, guard);
    else await context.producer.send(item, guard);
    return { id, ts, stored };
  });
  if ('before' in queued) return answerWith(queued.before, no, waitSeconds);
  const { id, ts } = queued;
  const seq = await queued.stored;
  if (seq === undefined) requireMemory(store, losses);
  if (seq === undefined) return answerWith({ id }, no);
  return answerWith({ state: 'stored', id, ts, seq: request.header.sync_once ? 0 : seq }, no, waitSeconds);
}

async function queueGroupCommand(context: ApiContext, item: SendItem, guard: Guard): Promise<void> {
  const { store, producer } = context;
  const { ch, idem, cmd: _cmd, wait: _wait, ...body } = item;
  const ref = refOf(item.id);
  await store.bodies.write(ref, { body, kind: 'group', ch, cmd: true, starts: [] }, 0);
  await producer.groupCommand({ ref, ch, ...(idem === undefined ? {} : { idem }) }, guard);
  await store.bodies.confirm(ref, body);
}

/**
 * The shard that keeps the idempotency record: one of those that the message is written to, so that the store script
 * sees it. Undefined where nothing is written: the system user has no inbox.
 */
function idemTarget({ config }: ApiContext, request: ChannelMessage, channel: string): number | undefined {
  const isPersonalCommand = request.header.sync_once === 1 && request.channel_type === CHANNEL_TYPE_PERSONAL;
  if (!isPersonalCommand) return shardOf(channel, config.shards);
  const uid = request.channel_id === SYSTEM_UID ? request.from_uid : request.channel_id;
  return uid === SYSTEM_UID ? undefined : shardOf(uid, config.shards);
}

function answerWith(message: IdemRecord | { id: number }, no: string, waitSeconds = 0): Answered {
  const seq = 'state' in message && message.state === 'stored' ? message.seq : 0;
  const body: SendAnswer = {
    status: 200,
    data: {
      message_id: message.id,
      message_idstr: String(message.id),
      client_msg_no: no,
      ...(waitSeconds > 0 && seq > 0 ? { message_seq: seq } : {}),
    },
  };
  const applied = waitSeconds > 0 && 'state' in message && message.state === 'stored';
  return applied ? { body, headers: { 'Preference-Applied': `wait=${waitSeconds}` } } : { body };
}
