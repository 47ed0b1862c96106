import type { MessageHeader } from './messages.ts';

/**
 * Requests as callers write them: what the schemas of requests.ts accept, without defaults filled in. A published type must
 * not need zod, so these are written by hand; packages/contracts/test/callerRequests.unit.test.ts holds them to the schemas.
 */

type Flag = 0 | 1;

interface Message {
  header?: Partial<MessageHeader>;
  setting?: number;
  /** absent: the system user */
  from_uid?: string;
  /** base64 */
  payload: string;
  topic?: string;
  /** seconds; 0 keeps it */
  expire?: number;
  /** the idempotency key */
  client_msg_no?: string;
}

/** One channel, or a list of recipients (docs/api.md §2). */
export type SendRequest = Message & { stream_no?: string } & (
    | { channel_id: string; channel_type: number; subscribers?: undefined }
    | { subscribers: string[]; channel_id?: undefined; channel_type?: undefined }
  );

export interface SendBatchRequest extends Message {
  subscribers: string[];
}

interface ChannelRead {
  /** required for a personal channel */
  login_uid?: string;
  channel_id: string;
  channel_type: number;
}

export interface MessageSyncRequest extends ChannelRead {
  start_message_seq?: number;
  end_message_seq?: number;
  limit?: number;
  pull_mode?: Flag;
}

export interface SyncRequest {
  uid: string;
  limit?: number;
  message_seq?: number;
}

export interface SyncAckRequest {
  uid: string;
  last_message_seq: number;
}

export interface MessagesRequest extends ChannelRead {
  message_seqs?: number[];
  message_ids?: number[];
  client_msg_nos?: string[];
}

export type MaxSeqRequest = ChannelRead;

export interface UserSearchRequest {
  uid: string;
  /** text by payload field */
  payload?: Record<string, string>;
  payload_types?: number[];
  from_uid?: string;
  channel_id?: string;
  channel_type?: number;
  topic?: string;
  limit?: number;
  page?: number;
  start_time?: number;
  end_time?: number;
  highlights?: string[];
}

/** A channel of any type but personal, or of any type where nothing is said about subscribers. */
export interface ChannelRequest {
  channel_id: string;
  channel_type: number;
}

/** Kept and given back, not enforced. */
export interface ChannelInfoFields {
  large?: Flag;
  ban?: Flag;
  disband?: Flag;
  send_ban?: Flag;
  allow_stranger?: Flag;
}

export interface ChannelInfoRequest extends ChannelRequest, ChannelInfoFields {}

export interface ChannelPutRequest extends ChannelInfoRequest {
  subscribers?: string[];
  reset?: Flag;
}

export interface SubscriberAddRequest extends ChannelRequest {
  subscribers: string[];
  reset?: Flag;
}

export interface SubscriberRemoveRequest extends ChannelRequest {
  subscribers: string[];
}

export interface SubscribersRequest extends ChannelRequest {
  cursor?: string;
  limit?: number;
}

export interface UserTokenRequest {
  uid: string;
  token: string;
  device_flag?: number;
  device_level?: number;
}
