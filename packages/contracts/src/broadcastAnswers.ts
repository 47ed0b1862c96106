import type { MessageHeader } from './messages.ts';

/** Everyone `/user/token` has registered, or the subscribers of a channel, at the moment of the start. */
export type BroadcastAudience = { known_users: true } | { channel_id: string; channel_type: number };

/** POST /broadcasts (docs/api.md §4). */
export interface BroadcastRequest {
  name?: string;
  from_uid?: string;
  /** base64 */
  payload: string;
  header?: Partial<MessageHeader>;
  setting?: number;
  topic?: string;
  expire?: number;
  /** the key of the creation */
  client_msg_no?: string;
  /** recipients a second; 0: no limit */
  rate?: number;
  /** seconds since 1970; 0: when told */
  start_at?: number;
  /** instead of uploaded parts */
  audience?: BroadcastAudience;
}

/**
 * What happens to a broadcast (docs/api.md §4): `open` takes recipients; `scheduled` waits for its time; `running` and
 * `paused` change into each other; `done`, `cancelled` and `failed` (all failed) are ends.
 */
export type BroadcastState = 'open' | 'scheduled' | 'running' | 'paused' | 'done' | 'cancelled' | 'failed';

/** POST /broadcasts/{no}/start: when it begins instead of when its creation said; 0 at once. Absent, that stays. */
export interface BroadcastStartRequest {
  start_at?: number;
}

export interface BroadcastCreated {
  broadcast_no: string;
  state: BroadcastState;
}

/** A broadcast as `GET /broadcasts/{no}` shows it. Times are seconds, 0 while they are not known. */
export interface BroadcastAnswer {
  broadcast_no: string;
  name: string;
  from_uid: string;
  state: BroadcastState;
  /** valid lines, or members of the audience, duplicates included */
  accepted: number;
  duplicates: number;
  invalid: number;
  /** accepted - duplicates */
  total: number;
  stored: number;
  failed: number;
  cancelled: number;
  indexed: number;
  /** recipients a second, at most; 0 without a limit */
  rate: number;
  /** recipients a second */
  rate_now: number;
  eta_seconds: number;
  estimate: { redis_bytes: number; seconds: number };
  created_at: number;
  /** when it begins, or was to begin; 0: when it was told to */
  start_at: number;
  started_at: number;
  finished_at: number;
}

/** A line of an upload that names no recipient, counted from 1. */
export interface InvalidLine {
  line: number;
  uid: string;
  reason: string;
}

/** PUT /broadcasts/{no}/recipients/{part}: what became of the part. */
export interface PartAnswer {
  part: number;
  accepted: number;
  /** within this part */
  duplicates: number;
  /** the first 100 */
  invalid: InvalidLine[];
  invalid_count: number;
}

export interface BroadcastsQuery {
  state?: BroadcastState;
  from_uid?: string;
  cursor?: string;
  limit?: number;
}

export interface BroadcastListAnswer {
  broadcasts: BroadcastAnswer[];
  /** "" at the end */
  cursor: string;
}

/** A recipient who was set aside. */
export interface BroadcastFailure {
  uid: string;
  reason: string;
  code: string;
  at: number;
}
