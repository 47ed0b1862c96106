import { createHash } from 'node:crypto';
import type { MessageSyncAnswer } from '@ruyi/contracts';
import { ok, type Route, route } from '../http/route.ts';

const messageSync = route('POST', '/channel/messagesync', 'MessageSync', async ({ store }, request) => {
  const { more, messages } = await store.logs.read(request, {
    start: request.start_message_seq,
    end: request.end_message_seq,
    limit: request.limit,
    pullMode: request.pull_mode,
  });
  const { start_message_seq, end_message_seq } = request;
  const body: MessageSyncAnswer = { start_message_seq, end_message_seq, more, messages };
  return { body };
});

const maxSeq = route('GET', '/channel/max_message_seq', 'MaxSeqQuery', async ({ store }, request) => ({
  body: { message_seq: await store.logs.maxSeq(request) },
}));

const putChannel = route('POST', '/channel', 'ChannelPut', async ({ admission, store: { channels } }, request) => {
  admission.requireFreeMemory();
  const { channel_id, channel_type, subscribers, reset } = request;
  await channels.putInfo(channel_type, channel_id, request);
  if (reset) await channels.replaceSubscribers(channel_type, channel_id, subscribers);
  else await channels.addSubscribers(channel_type, channel_id, subscribers);
  return ok;
});

const putInfo = route('POST', '/channel/info', 'ChannelInfo', async ({ admission, store: { channels } }, request) => {
  admission.requireFreeMemory();
  await channels.putInfo(request.channel_type, request.channel_id, request);
  return ok;
});

const info = route('GET', '/channel/info', 'ChannelQuery', async ({ store: { channels } }, request) => ({
  body: {
    channel_id: request.channel_id,
    channel_type: request.channel_type,
    ...(await channels.info(request.channel_type, request.channel_id)),
  },
}));

const addSubscribers = route(
  'POST',
  '/channel/subscriber_add',
  'SubscriberAdd',
  async ({ admission, store: { channels } }, request) => {
    admission.requireFreeMemory();
    const { channel_id, channel_type, subscribers, reset } = request;
    await channels.ensure(channel_type, channel_id);
    if (reset) await channels.replaceSubscribers(channel_type, channel_id, subscribers);
    else await channels.addSubscribers(channel_type, channel_id, subscribers);
    return ok;
  },
);

// Removing and deleting free memory, so they are not refused while Redis is full.
const removeSubscribers = route(
  'POST',
  '/channel/subscriber_remove',
  'SubscriberRemove',
  async ({ store }, request) => {
    await store.channels.removeSubscribers(request.channel_type, request.channel_id, request.subscribers);
    return ok;
  },
);

const subscribers = route('GET', '/channel/subscribers', 'SubscribersQuery', async ({ store }, request) => ({
  body: await store.channels.subscribers(request.channel_type, request.channel_id, request.cursor, request.limit),
}));

const deleteChannel = route('POST', '/channel/delete', 'ChannelDelete', async ({ store }, request) => {
  await store.channels.delete(request.channel_type, request.channel_id);
  return ok;
});

const userToken = route('POST', '/user/token', 'UserToken', async ({ admission, store }, request) => {
  admission.requireFreeMemory();
  await store.users.register({
    uid: request.uid,
    tokenHash: createHash('sha256').update(request.token).digest('hex'),
    deviceFlag: request.device_flag,
    deviceLevel: request.device_level,
  });
  return ok;
});

export const channelRoutes: Route[] = [
  messageSync,
  maxSeq,
  putChannel,
  putInfo,
  info,
  addSubscribers,
  removeSubscribers,
  subscribers,
  deleteChannel,
  userToken,
];
