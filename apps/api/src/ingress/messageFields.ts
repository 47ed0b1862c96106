import { randomUUID } from 'node:crypto';
import type { MessageBody, Request } from '@ruyi/contracts';

type Sent = Pick<
  Request<'SendBatch'>,
  'header' | 'setting' | 'from_uid' | 'payload' | 'topic' | 'expire' | 'client_msg_no'
> & {
  stream_no?: string;
};

/** What a request says about its message, in the form in which it is queued and stored; defaults are left out. */
export function messageBody(request: Sent, own: { id: number; ts: number; no: string }): MessageBody {
  return {
    ...own,
    from: request.from_uid,
    payload: request.payload,
    ...(request.header.red_dot ? { red: 1 } : {}),
    ...(request.setting ? { set: request.setting } : {}),
    ...(request.expire ? { exp: request.expire } : {}),
    ...(request.topic ? { topic: request.topic } : {}),
    ...(request.stream_no ? { stream: request.stream_no } : {}),
  };
}

/** The client's own number, or one of ours where it gave none. */
export const clientMsgNo = (given: string): string => (given === '' ? randomUUID().replaceAll('-', '') : given);

/** Whole seconds, the unit of every timestamp (docs/api.md §1). */
export const nowSeconds = (): number => Math.floor(Date.now() / 1000);
