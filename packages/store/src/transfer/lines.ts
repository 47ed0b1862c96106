import { MAX_SEQ, type MessageBody } from '@ruyi/contracts';
import { z } from 'zod';

/** The format that this version writes, and the newest that it reads. */
export const EXPORT_FORMAT = 1;

const seq = z.int().min(1).max(MAX_SEQ);
/** `<type>:<id>`, as keys.ts names it */
const channel = z.string().regex(/^\d{1,10}:./su);
const uid = z.string().min(1);
const ref = z.string().regex(/^[0-9a-z]{1,11}$/);
const position = z.int().min(0);
/** in milliseconds of unix time */
const expiresAt = z.int().optional();
const texts = z.record(z.string(), z.string());

/** What every copy of a message says, in the words of the API. Fields that are absent have their usual value: 0 or ''. */
const said = {
  message_id: z.int().positive(),
  timestamp: z.number(),
  from_uid: uid,
  client_msg_no: z.string(),
  /** base64 */
  payload: z.string(),
  red_dot: z.number().optional(),
  setting: z.number().optional(),
  expire: z.number().optional(),
  topic: z.string().optional(),
  stream_no: z.string().optional(),
};

export const HeaderLine = z.object({
  kind: z.literal('ruyi-export'),
  format: z.int(),
  /** of this export, random: an import that was interrupted is continued with the same one only */
  id: z.string().min(1),
  version: z.string(),
  /** of the data */
  schema: z.int(),
  shards: z.int().positive(),
  /** seconds */
  time: z.number(),
  /** `everything`, or the name of one channel */
  of: z.string(),
});
export type HeaderLine = z.infer<typeof HeaderLine>;

export const EndLine = z.object({
  kind: z.literal('end'),
  /** lines of each kind, without the first and the last one */
  counts: z.record(z.string(), z.int()),
  /** damaged things that were left out */
  unreadable: z.int(),
  /** greater than every message id that was given until the end of the export */
  next_id: z.int().min(0),
});
export type EndLine = z.infer<typeof EndLine>;

/** One thing of an installation. Every kind may be repeated, and come in any order, but one log or inbox is ascending. */
export const ThingLine = z.discriminatedUnion('kind', [
  /** a message in a channel's log */
  z.object({ kind: z.literal('message'), channel, seq, ...said }),
  /** a recipient's copy of a broadcast, which says everything but its place */
  z.object({ kind: z.literal('entry'), channel, seq, body: ref, position }),
  /** the last seq of a log that was trimmed */
  z.object({ kind: z.literal('seq'), channel, seq }),
  /** a message in a user's inbox; `to` names the recipient if the inbox may be the sender's */
  z.object({ kind: z.literal('command'), uid, seq, ...said, to: z.string().optional() }),
  z.object({ kind: z.literal('command_entry'), uid, seq, body: ref, position }),
  /** the last seq of an inbox that was emptied */
  z.object({ kind: z.literal('inbox_seq'), uid, seq }),
  /** seq of the last command that a user acknowledged */
  z.object({ kind: z.literal('cursor'), uid, seq }),
  /** what all recipients of a broadcast share, once; `gone` and `late` are bitmaps of positions, in base64 */
  z.object({
    kind: z.literal('body'),
    ref,
    shared: z.record(z.string(), z.unknown()),
    payload: z.string(),
    recipients: z.int().min(0),
    gone: z.string().optional(),
    late: z.string().optional(),
    expires_at: expiresAt,
  }),
  /** part of what is known of a batch's progress */
  z.object({ kind: z.literal('progress'), ref, fields: texts, expires_at: expiresAt }),
  z.object({ kind: z.literal('channel'), channel, info: texts }),
  z.object({ kind: z.literal('subscribers'), channel, uids: z.array(uid) }),
  /** a registered user; of each token there is only a hash */
  z.object({ kind: z.literal('user'), uid, devices: texts }),
  /** what is known of a client_msg_no; only an installation with as many shards can use it */
  z.object({
    kind: z.literal('idempotency'),
    shard: z.int().min(0),
    hash: z.string(),
    record: z.string(),
    expires_at: z.int(),
  }),
]);
export type ThingLine = z.infer<typeof ThingLine>;
export type Line = HeaderLine | ThingLine | EndLine;

/** A message as a line says it. */
type Said = Pick<Extract<ThingLine, { kind: 'message' }>, keyof typeof said>;

export function saidOf({ id, ts, from, no, payload, red, set, exp, topic, stream }: MessageBody): Said {
  return {
    message_id: id,
    timestamp: ts,
    from_uid: from,
    client_msg_no: no,
    payload,
    ...(red ? { red_dot: red } : {}),
    ...(set ? { setting: set } : {}),
    ...(exp ? { expire: exp } : {}),
    ...(topic ? { topic } : {}),
    ...(stream ? { stream_no: stream } : {}),
  };
}

export const bodyOf = (line: Said): MessageBody => ({
  id: line.message_id,
  ts: line.timestamp,
  from: line.from_uid,
  no: line.client_msg_no,
  payload: line.payload,
  red: line.red_dot ?? 0,
  set: line.setting ?? 0,
  exp: line.expire ?? 0,
  topic: line.topic ?? '',
  stream: line.stream_no ?? '',
});
