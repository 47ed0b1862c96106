import type {
  BatchProgress,
  BroadcastAnswer,
  BroadcastCreated,
  BroadcastFailure,
  BroadcastListAnswer,
  BroadcastRequest,
  BroadcastStartRequest,
  BroadcastsQuery,
  ChannelInfoAnswer,
  ChannelInfoRequest,
  ChannelPutRequest,
  ChannelRequest,
  HealthAnswer,
  MaxSeqRequest,
  MessageObject,
  MessageSyncAnswer,
  MessageSyncRequest,
  MessagesRequest,
  OkAnswer,
  PartAnswer,
  SendAnswer,
  SendBatchAnswer,
  SendBatchRequest,
  SendRequest,
  StatusAnswer,
  SubscriberAddRequest,
  SubscriberRemoveRequest,
  SubscribersAnswer,
  SubscribersRequest,
  SyncAckRequest,
  SyncRequest,
  UserSearchAnswer,
  UserSearchRequest,
  UserTokenRequest,
} from '@ruyi/contracts';

/** A broadcast by its number. */
interface Numbered {
  broadcast_no: string;
}

interface Endpoint<Request, Answer> {
  request: Request;
  answer: Answer;
}

/** What each endpoint is asked and answers. */
export interface Endpoints {
  send: Endpoint<SendRequest, SendAnswer>;
  sendBatch: Endpoint<SendBatchRequest, SendBatchAnswer>;
  batchProgress: Endpoint<{ batch_no: string }, BatchProgress>;
  sync: Endpoint<SyncRequest, MessageObject[]>;
  syncAck: Endpoint<SyncAckRequest, OkAnswer>;
  messages: Endpoint<MessagesRequest, { messages: MessageObject[] }>;
  messageSync: Endpoint<MessageSyncRequest, MessageSyncAnswer>;
  maxMessageSeq: Endpoint<MaxSeqRequest, { message_seq: number }>;
  putChannel: Endpoint<ChannelPutRequest, OkAnswer>;
  putChannelInfo: Endpoint<ChannelInfoRequest, OkAnswer>;
  channelInfo: Endpoint<ChannelRequest, ChannelInfoAnswer>;
  addSubscribers: Endpoint<SubscriberAddRequest, OkAnswer>;
  removeSubscribers: Endpoint<SubscriberRemoveRequest, OkAnswer>;
  subscribers: Endpoint<SubscribersRequest, SubscribersAnswer>;
  deleteChannel: Endpoint<ChannelRequest, OkAnswer>;
  registerUser: Endpoint<UserTokenRequest, OkAnswer>;
  userSearch: Endpoint<UserSearchRequest, UserSearchAnswer>;
  createBroadcast: Endpoint<BroadcastRequest, BroadcastCreated>;
  /** `lines` as a stream is sent while it is read: never held whole, and tried once. */
  uploadRecipients: Endpoint<
    Numbered & { part: number; lines: Uint8Array | string | ReadableStream<Uint8Array> },
    PartAnswer
  >;
  startBroadcast: Endpoint<Numbered & BroadcastStartRequest, BroadcastAnswer>;
  pauseBroadcast: Endpoint<Numbered, BroadcastAnswer>;
  resumeBroadcast: Endpoint<Numbered, BroadcastAnswer>;
  cancelBroadcast: Endpoint<Numbered, BroadcastAnswer>;
  retryBroadcast: Endpoint<Numbered, BroadcastAnswer>;
  broadcasts: Endpoint<BroadcastsQuery, BroadcastListAnswer>;
  broadcastReport: Endpoint<Numbered, BroadcastAnswer>;
  broadcastFailures: Endpoint<Numbered, AsyncIterable<BroadcastFailure>>;
  health: Endpoint<void, HealthAnswer>;
  status: Endpoint<void, StatusAnswer>;
  metrics: Endpoint<void, string>;
}

export type EndpointName = keyof Endpoints;

interface Place {
  method: 'GET' | 'POST' | 'PUT';
  /** `{name}` is taken from the request */
  path: string;
  /** the request is given a key, so that a repeat of it stores nothing twice */
  isKeyed?: true;
  /** a status other than 2xx that is an answer all the same */
  alsoAnswers?: number;
}

const get = (path: string): Place => ({ method: 'GET', path });
const post = (path: string): Place => ({ method: 'POST', path });
const keyed = (path: string): Place => ({ method: 'POST', path, isKeyed: true });

/** Where each endpoint is. test/docs compares it with the API's table of routes. */
export const PLACES: Record<EndpointName, Place> = {
  send: keyed('/message/send'),
  sendBatch: keyed('/message/sendbatch'),
  batchProgress: get('/message/sendbatch/{batch_no}'),
  sync: post('/message/sync'),
  syncAck: post('/message/syncack'),
  messages: post('/messages'),
  messageSync: post('/channel/messagesync'),
  maxMessageSeq: get('/channel/max_message_seq'),
  putChannel: post('/channel'),
  putChannelInfo: post('/channel/info'),
  channelInfo: get('/channel/info'),
  addSubscribers: post('/channel/subscriber_add'),
  removeSubscribers: post('/channel/subscriber_remove'),
  subscribers: get('/channel/subscribers'),
  deleteChannel: post('/channel/delete'),
  registerUser: post('/user/token'),
  userSearch: post('/plugins/wk.plugin.search/usersearch'),
  createBroadcast: keyed('/broadcasts'),
  uploadRecipients: { method: 'PUT', path: '/broadcasts/{broadcast_no}/recipients/{part}' },
  startBroadcast: post('/broadcasts/{broadcast_no}/start'),
  pauseBroadcast: post('/broadcasts/{broadcast_no}/pause'),
  resumeBroadcast: post('/broadcasts/{broadcast_no}/resume'),
  cancelBroadcast: post('/broadcasts/{broadcast_no}/cancel'),
  retryBroadcast: post('/broadcasts/{broadcast_no}/retry'),
  broadcasts: get('/broadcasts'),
  broadcastReport: get('/broadcasts/{broadcast_no}'),
  broadcastFailures: get('/broadcasts/{broadcast_no}/failures'),
  // 503 says that it is down, and what is.
  health: { ...get('/health'), alsoAnswers: 503 },
  status: get('/status'),
  metrics: get('/metrics'),
};
