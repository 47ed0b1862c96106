import type { BroadcastAnswer } from '@ruyi/contracts';
import { type BroadcastOptions, broadcast, type WatchOptions, watchBroadcast } from './broadcast.ts';
import { Caller, type CallOptions, type ClientOptions } from './call.ts';
import type { EndpointName, Endpoints } from './endpoints.ts';
import { ndjson } from './ndjson.ts';
import type { Uids } from './parts.ts';

type Method<N extends EndpointName> = (
  request: Endpoints[N]['request'],
  options?: CallOptions,
) => Promise<Endpoints[N]['answer']>;

/**
 * A method for each endpoint, and `broadcast`. Each takes the endpoint's request and answers what it answers; on network errors,
 * 429 and 503 it is repeated for `retrySeconds`, a send always with the same key. All throw RuyiError.
 */
export type RuyiClient = { readonly [N in EndpointName]: Method<N> } & {
  /**
   * One message to any number of recipients, each exactly once. `uids` is read once and never held whole; undefined with
   * `message.audience`.
   * @returns the last report, whatever its state is
   */
  broadcast(uids: Uids | undefined, options: BroadcastOptions): Promise<BroadcastAnswer>;
  /** Looks at a broadcast until it is finished. */
  watchBroadcast(request: { broadcast_no: string }, options?: WatchOptions): Promise<BroadcastAnswer>;
};

/** @throws TypeError for a URL or a token that no request can be made with */
export function createClient(options: ClientOptions = {}): RuyiClient {
  const caller = new Caller(options);
  const method =
    <N extends EndpointName>(name: N): Method<N> =>
    (request, options) =>
      caller.json(name, request, options);
  const client: RuyiClient = {
    send: method('send'),
    sendBatch: method('sendBatch'),
    batchProgress: method('batchProgress'),
    sync: method('sync'),
    syncAck: method('syncAck'),
    messages: method('messages'),
    messageSync: method('messageSync'),
    maxMessageSeq: method('maxMessageSeq'),
    putChannel: method('putChannel'),
    putChannelInfo: method('putChannelInfo'),
    channelInfo: method('channelInfo'),
    addSubscribers: method('addSubscribers'),
    removeSubscribers: method('removeSubscribers'),
    subscribers: method('subscribers'),
    deleteChannel: method('deleteChannel'),
    registerUser: method('registerUser'),
    userSearch: method('userSearch'),
    createBroadcast: method('createBroadcast'),
    uploadRecipients: method('uploadRecipients'),
    startBroadcast: method('startBroadcast'),
    pauseBroadcast: method('pauseBroadcast'),
    resumeBroadcast: method('resumeBroadcast'),
    cancelBroadcast: method('cancelBroadcast'),
    retryBroadcast: method('retryBroadcast'),
    broadcasts: method('broadcasts'),
    broadcastReport: method('broadcastReport'),
    broadcastFailures: async (request, options) => ndjson(await caller.stream('broadcastFailures', request, options)),
    health: method('health'),
    status: method('status'),
    metrics: (request, options) => caller.text('metrics', request, options),
    broadcast: (uids, options) => broadcast(client, uids, options),
    watchBroadcast: ({ broadcast_no }, options) => watchBroadcast(client, broadcast_no, options),
  };
  return client;
}
