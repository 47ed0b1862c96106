import { z } from 'zod';

/** What every copy of a message shares, whoever receives it. Field names are short: they are stored once a message. */
export const MessageBody = z.object({
  /** message_id; of a broadcast the first of its block, recipient i has id + i */
  id: z.number(),
  /** seconds, taken at ingress */
  ts: z.number(),
  from: z.string(),
  /** base64 */
  payload: z.string(),
  no: z.string(),
  red: z.number().optional(),
  set: z.number().optional(),
  exp: z.number().optional(),
  topic: z.string().optional(),
  stream: z.string().optional(),
});
export type MessageBody = z.infer<typeof MessageBody>;

/** One message on a send lane: to a channel's log, or (cmd) to the inboxes of a personal channel. */
export const SendItem = MessageBody.extend({
  /** the channel's name, see channelName */
  ch: z.string(),
  cmd: z.literal(1).optional(),
  /** of a command that was set aside: the inboxes that do not have it yet */
  inboxes: z.array(z.string()).optional(),
  /** idempotency hash; absent where the client asked for none */
  idem: z.string().optional(),
  /** of the request, kept with its idempotency record; absent where the client gave no client_msg_no */
  digest: z.string().optional(),
  /** name of the API process that waits for the seq (Prefer: wait) */
  wait: z.string().optional(),
});
export type SendItem = z.infer<typeof SendItem>;

export const SendJob = z.object({ items: z.array(SendItem) });
export type SendJob = z.infer<typeof SendJob>;

/**
 * A slice of a broadcast's recipients. `start` is the position of the first in the whole batch; with `at`, which only a
 * retried chunk has, each recipient carries a position of its own.
 */
export const Chunk = z.object({
  chunk: z.number(),
  start: z.number(),
  at: z.array(z.number()).optional(),
  /** newline-separated: no uid contains a control character, and one string parses faster than a thousand */
  uids: z.string(),
});
export type Chunk = z.infer<typeof Chunk>;

/** Part of a broadcast on one fanout lane: up to 2,000 recipients of one body, which is already in Redis under `ref`. */
export const BroadcastJob = z.object({
  ref: z.string(),
  from: z.string(),
  cmd: z.literal(1).optional(),
  chunks: z.array(Chunk),
});
export type BroadcastJob = z.infer<typeof BroadcastJob>;

/** A command to every subscriber of a channel. */
export const GroupCommandJob = z.object({
  ref: z.string(),
  ch: z.string(),
  idem: z.string().optional(),
  digest: z.string().optional(),
});
export type GroupCommandJob = z.infer<typeof GroupCommandJob>;

/** Messages to be made searchable: references, the indexer reads the rest from Redis. */
export const IndexJob = z.object({
  /** log entries by channel name and seq */
  logs: z.array(z.object({ ch: z.string(), seqs: z.array(z.number()) })).optional(),
  broadcast: z.object({ ref: z.string(), chunks: z.array(Chunk) }).optional(),
});
export type IndexJob = z.infer<typeof IndexJob>;

/** Something that was set aside: what it was, why, and the job that would do it again. */
export const DeadJob = z.object({
  queue: z.string(),
  name: z.string(),
  reason: z.string(),
  /** the job to put back on `queue` at a retry; absent where the data was unreadable */
  data: z.unknown().optional(),
  /** unreadable data as it was found */
  raw: z.string().optional(),
});
export type DeadJob = z.infer<typeof DeadJob>;
