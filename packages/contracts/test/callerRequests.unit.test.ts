import { expect, test } from 'vitest';
import type { BroadcastRequest, BroadcastStartRequest, BroadcastsQuery } from '../src/broadcastAnswers.ts';
import type * as Caller from '../src/callerRequests.ts';
import { type Request, type RequestName, requestSchemas } from '../src/requests.ts';

/** The published types of requests are written by hand. Here the compiler holds them to the schemas. */

interface Requests {
  Send: Caller.SendRequest;
  SendBatch: Caller.SendBatchRequest;
  MessageSync: Caller.MessageSyncRequest;
  Sync: Caller.SyncRequest;
  SyncAck: Caller.SyncAckRequest;
  Messages: Caller.MessagesRequest;
  MaxSeqQuery: Caller.MaxSeqRequest;
  UserSearch: Caller.UserSearchRequest;
  ChannelPut: Caller.ChannelPutRequest;
  ChannelInfo: Caller.ChannelInfoRequest;
  ChannelQuery: Caller.ChannelRequest;
  SubscriberAdd: Caller.SubscriberAddRequest;
  SubscriberRemove: Caller.SubscriberRemoveRequest;
  SubscribersQuery: Caller.SubscribersRequest;
  ChannelDelete: Caller.ChannelRequest;
  UserToken: Caller.UserTokenRequest;
  BroadcastCreate: BroadcastRequest;
  BroadcastStart: BroadcastStartRequest;
  BroadcastsQuery: BroadcastsQuery;
}
type Checked = keyof Requests & RequestName;

type FieldsOf<T> = T extends unknown ? keyof T : never;
type ValueOf<T, K extends PropertyKey> = T extends unknown ? (K extends keyof T ? T[K] : never) : never;
/** Fields that only one side has, and fields whose parsed value a caller could not write. */
type Differences<N extends Checked> =
  | Exclude<FieldsOf<Requests[N]>, FieldsOf<Request<N>>>
  | Exclude<FieldsOf<Request<N>>, FieldsOf<Requests[N]>>
  | {
      [K in FieldsOf<Request<N>>]: NonNullable<ValueOf<Request<N>, K>> extends NonNullable<ValueOf<Requests[N], K>>
        ? never
        : K;
    }[FieldsOf<Request<N>>];

type AllDifferences = { [N in Checked]: Differences<N> }[Checked];
const differences: AllDifferences[] = [];

/** The least that a caller may write, by the types. */
const LEAST: Requests = {
  Send: { channel_id: 'a', channel_type: 2, payload: 'YQ==' },
  SendBatch: { subscribers: ['a'], payload: 'YQ==' },
  MessageSync: { channel_id: 'a', channel_type: 2 },
  Sync: { uid: 'a' },
  SyncAck: { uid: 'a', last_message_seq: 0 },
  Messages: { channel_id: 'a', channel_type: 2 },
  MaxSeqQuery: { channel_id: 'a', channel_type: 2 },
  UserSearch: { uid: 'a' },
  ChannelPut: { channel_id: 'a', channel_type: 2 },
  ChannelInfo: { channel_id: 'a', channel_type: 2 },
  ChannelQuery: { channel_id: 'a', channel_type: 2 },
  SubscriberAdd: { channel_id: 'a', channel_type: 2, subscribers: ['a'] },
  SubscriberRemove: { channel_id: 'a', channel_type: 2, subscribers: ['a'] },
  SubscribersQuery: { channel_id: 'a', channel_type: 2 },
  ChannelDelete: { channel_id: 'a', channel_type: 2 },
  UserToken: { uid: 'a', token: 't' },
  BroadcastCreate: { payload: 'YQ==' },
  BroadcastStart: {},
  BroadcastsQuery: {},
};
const schemas = requestSchemas({ maxPayloadBytes: 10, maxRecipients: 10 });

test.each(Object.entries(LEAST))(
  '%s: what the types ask for is enough, and each field of it is needed',
  (name, least) => {
    const schema = Object.entries(schemas).find(([one]) => one === name)?.[1];
    expect(schema?.safeParse(least).error).toBeUndefined();
    for (const field of Object.keys(least)) {
      const { [field]: _, ...rest } = Object.fromEntries(Object.entries(least));
      expect(schema?.safeParse(rest).success).toBe(false);
    }
  },
);

test('every schema has a type, and no field differs', () => {
  expect(Object.keys(LEAST).sort()).toEqual(Object.keys(schemas).sort());
  expect(differences).toEqual([]);
});
// A type that is not `never` does not compile here.
export const noDifference: never[] = differences;
