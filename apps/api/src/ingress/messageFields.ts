import { randomFillSync } from 'node:crypto';
import type { MessageBody, Request } from '@ruyi/contracts';

type Sent = Pick<
  Request<'SendBatch'>,
  'header' | 'setting' | 'from_uid' | 'payload' | 'topic' | 'expire' | 'client_msg_no'
> & {
  stream_no?: string;
};

/** A request's message in the form in which it is queued and stored; defaults are left out. */
export function messageBody(request: Sent, identity: { id: number; ts: number; no: string }): MessageBody {
  const { id, ts, no } = identity;
  const body: MessageBody = { id, ts, from: request.from_uid, payload: request.payload, no };
  if (request.header.red_dot) body.red = 1;
  if (request.setting) body.set = request.setting;
  if (request.expire) body.exp = request.expire;
  if (request.topic) body.topic = request.topic;
  if (request.stream_no) body.stream = request.stream_no;
  return body;
}

/** The client's own number, or a generated one if it gave none. */
export const clientMsgNo = (given: string): string => (given === '' ? generatedNumber() : given);

const UUID_BYTES = 16;
/** Random bytes for many numbers: asking for a few at a time costs more than they do. */
const pool = Buffer.alloc(256 * UUID_BYTES);
let used = pool.length;

/** A random UUID (version 4) without its dashes. */
function generatedNumber(): string {
  if (used === pool.length) {
    randomFillSync(pool);
    used = 0;
  }
  const at = used;
  used += UUID_BYTES;
  pool[at + 6] = ((pool[at + 6] ?? 0) & 0x0f) | 0x40;
  pool[at + 8] = ((pool[at + 8] ?? 0) & 0x3f) | 0x80;
  return pool.toString('hex', at, used);
}
