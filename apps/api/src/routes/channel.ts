import { createHash } from 'node:crypto';
import type { MessageSyncAnswer } from '@ruyi/contracts';
import { ok, type Route, route } from '../http/route.ts';

const messageSync = route({
  method: 'POST',
  path: '/channel/messagesync',
  operation: 'messageSync',
  summary: "Reads a channel's log",
  request: 'MessageSync',
  example: { login_uid: 'bob', channel_id: 'ann', channel_type: 1 },
  answer: 'MessageSyncAnswer',
  handle: async ({ store }, request) => {
    const { more, messages } = await store.logs.read(request, {
      start: request.start_message_seq,
      end: request.end_message_seq,
      limit: request.limit,
      pullMode: request.pull_mode,
    });
    const { start_message_seq, end_message_seq } = request;
    const body: MessageSyncAnswer = { start_message_seq, end_message_seq, more, messages };
    return { body };
  },
});

const maxSeq = route({
  method: 'GET',
  path: '/channel/max_message_seq',
  operation: 'maxMessageSeq',
  summary: 'The newest seq of a log',
  request: 'MaxSeqQuery',
  answer: 'MaxSeqAnswer',
  handle: async ({ store }, request) => ({
    body: { message_seq: await store.logs.maxSeq(request) },
  }),
});

const putChannel = route({
  method: 'POST',
  path: '/channel',
  operation: 'putChannel',
  summary: 'Creates or updates a channel',
  request: 'ChannelPut',
  example: { channel_id: 'g1', channel_type: 2, subscribers: ['ann', 'bob'] },
  answer: 'Ok',
  handle: async ({ admission, store: { channels } }, request) => {
    admission.requireFreeMemory();
    const { channel_id, channel_type, subscribers, reset } = request;
    await channels.putInfo(channel_type, channel_id, request);
    if (reset) await channels.replaceSubscribers(channel_type, channel_id, subscribers);
    else await channels.addSubscribers(channel_type, channel_id, subscribers);
    return ok;
  },
});

const putInfo = route({
  method: 'POST',
  path: '/channel/info',
  operation: 'putChannelInfo',
  summary: "Replaces a channel's info",
  request: 'ChannelInfo',
  example: { channel_id: 'g1', channel_type: 2, large: 1 },
  answer: 'Ok',
  handle: async ({ admission, store: { channels } }, request) => {
    admission.requireFreeMemory();
    await channels.putInfo(request.channel_type, request.channel_id, request);
    return ok;
  },
});

const info = route({
  method: 'GET',
  path: '/channel/info',
  operation: 'channelInfo',
  summary: 'The info of a channel',
  request: 'ChannelQuery',
  answer: 'ChannelInfoAnswer',
  handle: async ({ store: { channels } }, request) => ({
    body: {
      channel_id: request.channel_id,
      channel_type: request.channel_type,
      ...(await channels.info(request.channel_type, request.channel_id)),
    },
  }),
});

const addSubscribers = route({
  method: 'POST',
  path: '/channel/subscriber_add',
  operation: 'addSubscribers',
  summary: 'Adds subscribers to a channel',
  request: 'SubscriberAdd',
  example: { channel_id: 'g1', channel_type: 2, subscribers: ['eve'] },
  answer: 'Ok',
  handle: async ({ admission, store: { channels } }, request) => {
    admission.requireFreeMemory();
    const { channel_id, channel_type, subscribers, reset } = request;
    await channels.ensure(channel_type, channel_id);
    if (reset) await channels.replaceSubscribers(channel_type, channel_id, subscribers);
    else await channels.addSubscribers(channel_type, channel_id, subscribers);
    return ok;
  },
});

// Removing and deleting free memory, so they are not refused while Redis is full.
const removeSubscribers = route({
  method: 'POST',
  path: '/channel/subscriber_remove',
  operation: 'removeSubscribers',
  summary: 'Removes subscribers from a channel',
  request: 'SubscriberRemove',
  example: { channel_id: 'g1', channel_type: 2, subscribers: ['eve'] },
  answer: 'Ok',
  handle: async ({ store }, request) => {
    await store.channels.removeSubscribers(request.channel_type, request.channel_id, request.subscribers);
    return ok;
  },
});

const subscribers = route({
  method: 'GET',
  path: '/channel/subscribers',
  operation: 'subscribers',
  summary: "A page of a channel's subscribers",
  request: 'SubscribersQuery',
  answer: 'SubscribersAnswer',
  handle: async ({ store }, request) => ({
    body: await store.channels.subscribers(request.channel_type, request.channel_id, request.cursor, request.limit),
  }),
});

const deleteChannel = route({
  method: 'POST',
  path: '/channel/delete',
  operation: 'deleteChannel',
  summary: 'Removes subscribers and info of a channel; its log stays',
  request: 'ChannelDelete',
  example: { channel_id: 'g1', channel_type: 2 },
  answer: 'Ok',
  handle: async ({ store }, request) => {
    await store.channels.delete(request.channel_type, request.channel_id);
    return ok;
  },
});

const userToken = route({
  method: 'POST',
  path: '/user/token',
  operation: 'registerUser',
  summary: 'Registers a user',
  request: 'UserToken',
  example: { uid: 'ann', token: 'secret' },
  answer: 'Ok',
  handle: async ({ admission, store }, request) => {
    admission.requireFreeMemory();
    await store.users.register({
      uid: request.uid,
      tokenHash: createHash('sha256').update(request.token).digest('hex'),
      deviceFlag: request.device_flag,
      deviceLevel: request.device_level,
    });
    return ok;
  },
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
