import { waitFor } from '@ruyi/testkit';
import { expect } from 'vitest';
import type { Installation } from './installation.ts';

interface Log {
  messages: { message_seq: number; payload: unknown }[];
}

const UIDS = Array.from({ length: 500 }, (_, i) => `u${i}`);
export const payload = (content: string) => Buffer.from(JSON.stringify({ type: 1, content })).toString('base64');

export const sendTo = (ruyi: Installation, channel: string, content: string, no = `${channel}-${content}`) =>
  ruyi.post<{ data: { message_id: number } }>('/message/send', {
    ...{ from_uid: 'ann', channel_id: channel, channel_type: 2, client_msg_no: no },
    payload: payload(content),
  });

export async function seqsOf(ruyi: Installation, uid: string, channel: string, type: number): Promise<number[]> {
  const read = { login_uid: uid, channel_id: channel, channel_type: type };
  const { body } = await ruyi.post<Log>('/channel/messagesync', read);
  return body.messages.map(({ message_seq }) => message_seq);
}

export async function totalFound(ruyi: Installation, uid: string, content: string): Promise<number> {
  return (await ruyi.search({ uid, payload: { content } })).total;
}

/** A send, a batch of 500, both read, and both found. */
export async function everyFlow(ruyi: Installation): Promise<void> {
  await ruyi.post('/channel', { channel_id: 'room', channel_type: 2, subscribers: ['ann', 'bob'] });
  expect(await sendTo(ruyi, 'room', '你好')).toMatchObject({ status: 200 });
  const batch = { from_uid: 'news', subscribers: UIDS, payload: payload('broadcast') };
  expect(await ruyi.post('/message/sendbatch', batch)).toMatchObject({ status: 200 });
  await waitFor(async () => (await seqsOf(ruyi, 'bob', 'room', 2)).length === 1, { what: 'the message in its log' });
  for (const uid of ['u0', 'u250', 'u499']) {
    await waitFor(async () => (await seqsOf(ruyi, uid, 'news', 1)).length === 1, { what: `the broadcast of ${uid}` });
  }
  await waitFor(async () => (await totalFound(ruyi, 'bob', '你好')) === 1, { what: 'the message to be found' });
  await waitFor(async () => (await totalFound(ruyi, 'u499', 'broadcast')) === 1, { what: 'the broadcast to be found' });
}
