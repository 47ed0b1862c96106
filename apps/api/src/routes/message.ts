import {
  type BatchProgress,
  NotFoundError,
  type Request,
  type SendAnswer,
  type SendBatchAnswer,
} from '@ruyi/contracts';
import { firstIdOf, isRef } from '@ruyi/store';
import type { ApiContext } from '../context.ts';
import { type Answered, ok, type Route, route } from '../http/route.ts';
import { acceptBroadcast } from '../ingress/broadcast.ts';
import { clientMsgNo, messageBody } from '../ingress/messageFields.ts';
import { sendToChannel } from '../ingress/sendToChannel.ts';
import { preferredWait } from '../ingress/storedWaiter.ts';

/** The answer to a repeat is the first one, and says so (docs/api.md §2, Idempotency). */
const replayed = (isReplayed: boolean): Record<string, string> => (isReplayed ? { 'Idempotent-Replayed': 'true' } : {});
const applied = (waitSeconds: number) => ({ 'Preference-Applied': `wait=${waitSeconds}` });

const send = route('POST', '/message/send', 'Send', async (context, request, { headers }) => {
  const waitSeconds = preferredWait(headers.prefer);
  if (!('channel_id' in request)) return sendToSubscribers(context, request, waitSeconds);
  const { id, no, seq, isReplayed } = await sendToChannel(context, request, waitSeconds);
  const isAwaited = waitSeconds > 0 && seq !== undefined;
  return {
    body: sendAnswer(id, no, isAwaited ? seq : 0),
    headers: { ...replayed(isReplayed), ...(isAwaited ? applied(waitSeconds) : {}) },
  };
});

async function sendToSubscribers(
  context: ApiContext,
  request: Exclude<Request<'Send'>, { channel_id: string }>,
  waitSeconds: number,
): Promise<Answered> {
  const no = clientMsgNo(request.client_msg_no);
  const { ref, receipt, isReplayed } = await acceptBroadcast(context, {
    endpoint: 'send',
    message: request,
    from: request.from_uid,
    subscribers: request.subscribers,
    clientMsgNo: request.client_msg_no,
    body: (own) => messageBody(request, { ...own, no }),
  });
  const first = firstIdOf(ref) + receipt.firstAt;
  const isAwaited = waitSeconds > 0 && (await storedInTime(context, ref, first, waitSeconds));
  return {
    body: sendAnswer(first, no),
    headers: { ...replayed(isReplayed), ...(isAwaited ? applied(waitSeconds) : {}) },
  };
}

const sendAnswer = (id: number, no: string, seq = 0): SendAnswer => ({
  status: 200,
  data: { message_id: id, message_idstr: String(id), client_msg_no: no, ...(seq > 0 ? { message_seq: seq } : {}) },
});

/** Whether every recipient of a broadcast has it before the time is up. */
async function storedInTime({ waiter, store }: ApiContext, ref: string, id: number, seconds: number): Promise<boolean> {
  const look = async () => {
    const progress = await store.progress.read(ref);
    return progress && progress.stored === progress.total ? 0 : undefined;
  };
  return (await waiter.wait(id, seconds, look)) !== undefined;
}

const sendBatch = route('POST', '/message/sendbatch', 'SendBatch', async (context, request) => {
  const no = clientMsgNo(request.client_msg_no);
  const { ref, receipt, failures, isReplayed } = await acceptBroadcast(context, {
    endpoint: 'sendbatch',
    message: request,
    from: request.from_uid,
    subscribers: request.subscribers,
    clientMsgNo: request.client_msg_no,
    body: (own) => messageBody(request, { ...own, no }),
  });
  const body: SendBatchAnswer = { ...failures, batch_no: ref, accepted: receipt.total };
  return { body, headers: replayed(isReplayed) };
});

const batchProgress: Route = {
  method: 'GET',
  path: '/message/sendbatch/:batch_no',
  async handle({ store }, _schemas, _input, { params }) {
    const ref = params.batch_no ?? '';
    const progress: BatchProgress | undefined = isRef(ref) ? await store.progress.read(ref) : undefined;
    if (!progress) throw new NotFoundError('batch_no: no such batch; progress is kept for 7 days');
    return { body: progress };
  },
};

const sync = route('POST', '/message/sync', 'Sync', async ({ store }, { uid, message_seq, limit }) => ({
  body: await store.inboxes.read(uid, message_seq, limit),
}));

const syncAck = route('POST', '/message/syncack', 'SyncAck', async ({ store }, { uid, last_message_seq }) => {
  await store.inboxes.acknowledge(uid, last_message_seq);
  return ok;
});

const messages = route('POST', '/messages', 'Messages', async ({ store }, request) => ({
  body: {
    messages: await store.logs.find(request, {
      seqs: request.message_seqs,
      ids: request.message_ids,
      clientMsgNos: request.client_msg_nos,
    }),
  },
}));

export const messageRoutes: Route[] = [send, sendBatch, batchProgress, sync, syncAck, messages];
