import { z } from 'zod';

/** What every copy of a message shares, whoever receives it. Field names are short: they are stored once per message. */
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
  /** of a retried command: the inboxes that do not have it yet */
  inboxes: z.array(z.string()).optional(),
  /** idempotency hash; absent if the client asked for none */
  idem: z.string().optional(),
  /** of the request, kept with its idempotency record; absent if the client gave no client_msg_no */
  digest: z.string().optional(),
  /** name of the API process that waits for the seq (Prefer: wait) */
  wait: z.string().optional(),
});
export type SendItem = z.infer<typeof SendItem>;
