import {
  BATCH_REASON_INVALID,
  BATCH_REASON_UNKNOWN,
  type BatchProgress,
  NotFoundError,
  type SendAnswer,
  type SendBatchAnswer,
  usualSend,
} from '@ruyi/contracts';
import { isRef } from '@ruyi/store';
import { preferenceApplied, preferredWait } from '../http/preferHeader.ts';
import { type Answered, ok, type Route, route } from '../http/route.ts';
import { acceptBroadcast } from '../ingress/broadcast.ts';
import type { Refusal } from '../ingress/recipients.ts';
import { type SentMessage, sendToChannel } from '../ingress/sendToChannel.ts';
import { sendToSubscribers } from '../ingress/sendToSubscribers.ts';
import { requireReplicas } from '../ingress/unbrokenConnection.ts';
import { HELLO } from '../openapi/examples.ts';

const REASONS: Record<Refusal, string> = { invalid: BATCH_REASON_INVALID, unknown: BATCH_REASON_UNKNOWN };

/** The answer to a repeat is the first one, and says so (docs/api.md §2, Idempotency). */
const replayed = (isReplayed: boolean): Record<string, string> => (isReplayed ? { 'Idempotent-Replayed': 'true' } : {});

const send = route({
  method: 'POST',
  path: '/message/send',
  operation: 'send',
  summary: 'Sends a message to a channel or to up to 100,000 users',
  request: 'Send',
  example: { from_uid: 'ann', channel_id: 'bob', channel_type: 1, payload: HELLO, client_msg_no: 'ann-1' },
  answer: 'SendAnswer',
  errors: ['idempotency_conflict'],
  headers: { Prefer: 'wait=N, 1 to 30 seconds: answer when it is stored' },
  usual: usualSend,
  handle: async (context, request, { headers }) => {
    const waitSeconds = preferredWait(headers.prefer);
    const sent =
      'channel_id' in request
        ? await sendToChannel(context, request, waitSeconds)
        : await sendToSubscribers(context, request, waitSeconds);
    return sendAnswer(sent, waitSeconds);
  },
});

function sendAnswer({ id, no, seq, isReplayed }: SentMessage, waitSeconds: number): Answered {
  const isAwaited = waitSeconds > 0 && seq !== undefined;
  const data = { message_id: id, message_idstr: String(id), client_msg_no: no };
  const body: SendAnswer = { status: 200, data: isAwaited && seq > 0 ? { ...data, message_seq: seq } : data };
  if (!isReplayed && !isAwaited) return { body };
  return { body, headers: { ...replayed(isReplayed), ...(isAwaited ? preferenceApplied(waitSeconds) : {}) } };
}

const sendBatch = route({
  method: 'POST',
  path: '/message/sendbatch',
  operation: 'sendBatch',
  summary: 'Sends one message to many users, and reports who cannot get it',
  request: 'SendBatch',
  example: { from_uid: 'news', subscribers: ['ann', 'bob'], payload: HELLO, client_msg_no: 'news-1' },
  answer: 'SendBatchAnswer',
  errors: ['idempotency_conflict'],
  handle: async (context, request) => {
    const { ref, accepted, refused, isReplayed } = await acceptBroadcast(context, 'sendbatch', request);
    const body: SendBatchAnswer = {
      fail_uids: [...refused.keys()],
      reason: [...refused.values()].map((refusal) => REASONS[refusal]),
      batch_no: ref,
      accepted,
    };
    return { body, headers: replayed(isReplayed) };
  },
});

const batchProgress: Route = {
  method: 'GET',
  path: '/message/sendbatch/:batch_no',
  operation: 'batchProgress',
  summary: 'The progress of a batch, for 7 days',
  answer: 'BatchProgress',
  async handle({ store }, _schemas, _input, { params }) {
    const ref = params.batch_no ?? '';
    const progress: BatchProgress | undefined = isRef(ref) ? await store.progress.read(ref) : undefined;
    if (!progress) throw new NotFoundError('batch_no: no such batch; progress is kept for 7 days');
    return { body: progress };
  },
};

const sync = route({
  method: 'POST',
  path: '/message/sync',
  operation: 'sync',
  summary: "Reads a user's commands",
  request: 'Sync',
  example: { uid: 'bob' },
  answer: 'SyncAnswer',
  handle: async ({ store }, { uid, message_seq, limit }) => ({
    body: await store.inboxes.read(uid, message_seq, limit),
  }),
});

const syncAck = route({
  method: 'POST',
  path: '/message/syncack',
  operation: 'syncAck',
  summary: "Acknowledges a user's commands",
  request: 'SyncAck',
  example: { uid: 'bob', last_message_seq: 1 },
  answer: 'Ok',
  handle: async ({ store }, { uid, last_message_seq }) => {
    const losses = store.connectionLosses();
    await store.inboxes.acknowledge(uid, last_message_seq);
    await requireReplicas(store, [store.inboxes.cursorKey(uid)], losses);
    return ok;
  },
});

const messages = route({
  method: 'POST',
  path: '/messages',
  operation: 'messages',
  summary: 'Messages of one log by seq, id or client number',
  request: 'Messages',
  example: { login_uid: 'bob', channel_id: 'ann', channel_type: 1, message_seqs: [1] },
  answer: 'MessagesAnswer',
  handle: async ({ store }, request) => ({
    body: {
      messages: await store.logs.find(request, {
        seqs: request.message_seqs,
        ids: request.message_ids,
        clientMsgNos: request.client_msg_nos,
      }),
    },
  }),
});

export const messageRoutes: Route[] = [send, sendBatch, batchProgress, sync, syncAck, messages];
