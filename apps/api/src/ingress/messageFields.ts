import { randomUUID } from 'node:crypto';
import type { MessageBody, Request } from '@ruyi/contracts';

type Sent = Pick<
  Request<'SendBatch'>,
  'header' | 'setting' | 'from_uid' | 'payload' | 'topic' | 'expire' | 'client_msg_no'
> & {
  stream_no?: string;
};

/** A request's message in the form in which it is queued and stored; defaults are left out. */
export function messageBody(request: Sent, identity: { id: number; ts: number; no: string }): MessageBody {
  return {
    ...identity,
    from: request.from_uid,
    payload: request.payload,
    ...(request.header.red_dot ? { red: 1 } : {}),
    ...(request.setting ? { set: request.setting } : {}),
    ...(request.expire ? { exp: request.expire } : {}),
    ...(request.topic ? { topic: request.topic } : {}),
    ...(request.stream_no ? { stream: request.stream_no } : {}),
  };
}

/** The client's own number, or a generated one if it gave none. */
export const clientMsgNo = (given: string): string => (given === '' ? randomUUID().replaceAll('-', '') : given);
