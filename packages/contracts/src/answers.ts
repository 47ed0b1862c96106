import { z } from 'zod';
import { BROADCAST_STATES } from './broadcasts.ts';
import { ERROR_CODES, type ErrorCode } from './errors.ts';

/**
 * The schemas of all answers, for the OpenAPI document (docs/api.md §2, §3, §4). Nothing is parsed with them when it is answered; a
 * test drives every route and holds the answers to them. The published types are those of messages.ts and broadcastAnswers.ts.
 */

const flag = z.literal([0, 1]).meta({ type: 'integer' });
const whole = z.int().min(0);
const seconds = whole;
const text = z.string();
const channelType = z.int().min(1).max(255);

const Ok = z.object({ status: z.literal(200).meta({ type: 'integer' }) });

const MessageHeader = z.object({ no_persist: flag, red_dot: flag, sync_once: flag });

const Message = z.object({
  header: MessageHeader,
  setting: whole,
  message_id: whole,
  message_idstr: text,
  client_msg_no: text,
  message_seq: z.int().min(1),
  from_uid: text,
  channel_id: text,
  channel_type: channelType,
  topic: text,
  expire: whole,
  timestamp: seconds,
  payload: text.meta({ contentEncoding: 'base64' }),
  stream_no: text.optional(),
});

const SendAnswer = z.object({
  status: z.literal(200).meta({ type: 'integer' }),
  data: z.object({
    message_id: whole,
    message_idstr: text,
    client_msg_no: text,
    message_seq: z.int().min(1).optional().describe('with Prefer: wait, of a message to one log'),
  }),
});

const SendBatchAnswer = z.object({
  fail_uids: z.array(text),
  reason: z.array(text),
  batch_no: text,
  accepted: whole,
});

const BatchProgress = z.object({
  batch_no: text,
  total: whole,
  stored: whole,
  failed: whole,
  indexed: whole,
  state: z.literal(['queued', 'running', 'done', 'failed']),
  created_at: seconds,
  finished_at: seconds,
});

const MessageSyncAnswer = z.object({
  start_message_seq: whole,
  end_message_seq: whole,
  more: flag,
  messages: z.array(Message),
});

const FoundMessage = z.object({
  message_id: whole,
  message_idstr: text,
  message_seq: z.int().min(1),
  client_msg_no: text,
  from_uid: text,
  channel_id: text,
  channel_type: channelType,
  payload: z
    .union([z.record(text, z.unknown()), text])
    .describe('the JSON that was sent, hits marked; with SEARCH_PAYLOAD=base64 the same bytes as base64'),
  topic: text,
  timestamp: seconds,
});

const UserSearchAnswer = z.object({
  total: whole,
  limit: whole,
  page: z.int().min(1),
  messages: z.array(FoundMessage),
  truncated: z.literal(true).optional(),
});

const ChannelInfoAnswer = z.object({
  channel_id: text,
  channel_type: channelType,
  large: flag,
  ban: flag,
  disband: flag,
  send_ban: flag,
  allow_stranger: flag,
});

const state = z.literal(BROADCAST_STATES);

const BroadcastAnswer = z.object({
  broadcast_no: text,
  name: text,
  from_uid: text,
  state,
  accepted: whole,
  duplicates: whole,
  invalid: whole,
  total: whole,
  stored: whole,
  failed: whole,
  cancelled: whole,
  indexed: whole,
  rate: whole,
  rate_now: whole,
  eta_seconds: seconds,
  estimate: z.object({ redis_bytes: whole, seconds }),
  created_at: seconds,
  start_at: seconds,
  started_at: seconds,
  finished_at: seconds,
});

const PartAnswer = z.object({
  part: whole,
  accepted: whole,
  duplicates: whole,
  invalid: z.array(z.object({ line: z.int().min(1), uid: text, reason: text })),
  invalid_count: whole,
});

const HealthCheck = z.object({
  status: z.literal(['ok', 'degraded', 'down', 'unknown']),
  message: text.optional(),
  fix: text.optional(),
});
const HealthAnswer = z.object({
  status: z.literal(['ok', 'degraded', 'down']),
  checks: z
    .object({
      redis: HealthCheck,
      redis_settings: HealthCheck,
      memory: HealthCheck,
      workers: HealthCheck,
      lanes: HealthCheck,
      indexer: HealthCheck,
      search: HealthCheck,
      backlog: HealthCheck,
      dead_letters: HealthCheck,
    })
    .optional(),
});

const queue = { jobs: whole, backlog: whole, oldest_job_at: seconds.nullable() };
const StatusAnswer = z.object({
  lanes_of_each_kind: whole.nullable(),
  lanes_changing_to: whole.nullable(),
  processes: z.array(
    z.object({
      name: text,
      role: text,
      version: text,
      schema: whole,
      host: text,
      since: seconds,
      clock_ahead_ms: z.int().optional(),
      lanes: z.array(text),
    }),
  ),
  lanes: z.array(z.object({ name: text, kind: text, worker: text.nullable(), ...queue })),
  index: z.object(queue),
  broadcasts: z.array(BroadcastAnswer),
  redis: z.array(z.object({ node: text, memory_bytes: whole, memory_max_bytes: whole })),
});

const ErrorAnswer = z.object({
  msg: text,
  status: z.int().min(400).max(599),
  code: z.enum(Object.keys(ERROR_CODES) as ErrorCode[]),
  doc: text,
  errors: z.array(z.object({ path: text, message: text })).optional(),
});

export const answerSchemas = {
  Ok,
  Error: ErrorAnswer,
  MessageHeader,
  Message,
  SendAnswer,
  SendBatchAnswer,
  BatchProgress,
  MessageSyncAnswer,
  SyncAnswer: z.array(Message),
  MessagesAnswer: z.object({ messages: z.array(Message) }),
  MaxSeqAnswer: z.object({
    message_seq: whole.describe('the newest seq that the log ever had; 0 for an unknown channel'),
  }),
  FoundMessage,
  UserSearchAnswer,
  ChannelInfoAnswer,
  SubscribersAnswer: z.object({ subscribers: z.array(text), cursor: text }),
  BroadcastCreated: z.object({ broadcast_no: text, state }),
  BroadcastAnswer,
  BroadcastListAnswer: z.object({ broadcasts: z.array(BroadcastAnswer), cursor: text }),
  BroadcastFailure: z.object({ uid: text, reason: text, code: text, at: seconds }),
  PartAnswer,
  HealthCheck,
  HealthAnswer,
  StatusAnswer,
  OpenApi: z.looseObject({ openapi: text }),
};

export type AnswerName = keyof typeof answerSchemas;
