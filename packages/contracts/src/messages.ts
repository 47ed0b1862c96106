/** The header flags of a message (docs/api.md §2, /message/send). */
export interface MessageHeader {
  no_persist: 0 | 1;
  red_dot: 0 | 1;
  sync_once: 0 | 1;
}

/** A message as messagesync, sync and messages return it (docs/api.md §1). */
export interface MessageObject {
  header: MessageHeader;
  setting: number;
  message_id: number;
  message_idstr: string;
  client_msg_no: string;
  message_seq: number;
  from_uid: string;
  channel_id: string;
  channel_type: number;
  topic: string;
  expire: number;
  timestamp: number;
  payload: string;
  stream_no?: string;
}

export interface SendAnswer {
  status: 200;
  data: { message_id: number; message_idstr: string; client_msg_no: string; message_seq?: number };
}

export interface SendBatchAnswer {
  fail_uids: string[];
  reason: string[];
  batch_no: string;
  accepted: number;
}

export type BatchState = 'queued' | 'running' | 'done' | 'failed';

/** Progress of a batch (docs/api.md §2). Times are whole seconds; `finished_at` is 0 until the batch is done. */
export interface BatchProgress {
  batch_no: string;
  total: number;
  stored: number;
  failed: number;
  indexed: number;
  state: BatchState;
  created_at: number;
  finished_at: number;
}

export interface MessageSyncAnswer {
  start_message_seq: number;
  end_message_seq: number;
  more: 0 | 1;
  messages: MessageObject[];
}

export interface FoundMessage {
  message_id: number;
  message_idstr: string;
  message_seq: number;
  client_msg_no: string;
  from_uid: string;
  channel_id: string;
  channel_type: number;
  /** the sender's JSON text with marked hits; with SEARCH_PAYLOAD=base64 the same bytes as base64 */
  payload: Record<string, unknown> | string;
  topic: string;
  timestamp: number;
}

export interface UserSearchAnswer {
  total: number;
  limit: number;
  page: number;
  messages: FoundMessage[];
  /** there if the page is shorter than `limit` because its payloads are large */
  truncated?: true;
}

export const BATCH_REASON_INVALID = '用户ID不合法';
export const BATCH_REASON_UNKNOWN = '不存在用户';

/** The answer of an endpoint that has nothing to say. */
export interface OkAnswer {
  status: 200;
}

export interface SubscribersAnswer {
  subscribers: string[];
  /** "" at the end */
  cursor: string;
}

export interface ChannelInfoAnswer {
  channel_id: string;
  channel_type: number;
  large: 0 | 1;
  ban: 0 | 1;
  disband: 0 | 1;
  send_ban: 0 | 1;
  allow_stranger: 0 | 1;
}
