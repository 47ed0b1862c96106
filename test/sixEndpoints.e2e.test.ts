import { type TestProcess, waitFor } from '@ruyi/testkit';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Installation, newInstallation } from './installation.ts';

/** Starts what `npm start` starts, and uses the six endpoints over HTTP, before and after a restart. */

interface Message {
  message_seq: number;
  message_id: number;
  client_msg_no: string;
  from_uid: string;
  payload: string;
}
interface Found {
  total: number;
  messages: (Message & { payload: { content: string } })[];
}

const RECIPIENTS = Array.from({ length: 10_000 }, (_, i) => `u${i + 1}`);
const payload = (content: string) => Buffer.from(JSON.stringify({ type: 1, content })).toString('base64');

let ruyi: Installation;
let up: TestProcess;

const readAll = async (uid: string, peer: string) => {
  const { body } = await ruyi.post<{ messages: Message[] }>('/channel/messagesync', {
    login_uid: uid,
    channel_id: peer,
    channel_type: 1,
    start_message_seq: 1,
    pull_mode: 1,
  });
  return body.messages;
};

const search = (uid: string, content: string) =>
  ruyi.search<Found>({ uid, payload: { content }, highlights: ['payload.content'] });

beforeAll(async () => {
  ruyi = await newInstallation();
  up = await ruyi.start();
});
afterAll(() => ruyi.remove());

test('a batch to 10,000 users is stored, read at seq 1 and found by a substring', async () => {
  const sent = await ruyi.post<{ batch_no: string; accepted: number; fail_uids: string[] }>('/message/sendbatch', {
    from_uid: 'news',
    subscribers: RECIPIENTS,
    payload: payload('你是北京大学的吗'),
  });
  expect(sent).toMatchObject({ status: 200, body: { accepted: 10_000, fail_uids: [], reason: [] } });
  const progress = await waitFor(
    async () => {
      const { body } = await ruyi.get(`/message/sendbatch/${sent.body.batch_no}`);
      return body.indexed === 10_000 && body.state === 'done' ? body : undefined;
    },
    { what: 'the batch to be stored and indexed', deadlineMs: 120_000 },
  );
  expect(progress).toMatchObject({ total: 10_000, stored: 10_000, failed: 0 });
  const ids = new Set<number>();
  for (const uid of ['u1', 'u5000', 'u10000']) {
    const messages = await readAll(uid, 'news');
    expect(messages).toMatchObject([{ message_seq: 1, from_uid: 'news', payload: payload('你是北京大学的吗') }]);
    ids.add(messages[0]?.message_id ?? 0);
    const found = await search(uid, '北京');
    expect(found).toMatchObject({
      total: 1,
      messages: [{ message_seq: 1, payload: { type: 1, content: '你是<mark>北京</mark>大学的吗' } }],
    });
  }
  expect(ids.size).toBe(3);
  expect(await search('u10001', '北京')).toMatchObject({ total: 0, messages: [] });
});

test('a message to a group is read by everybody who asks, but only its members find it', async () => {
  await ruyi.post('/channel', { channel_id: 'g1', channel_type: 2, subscribers: ['ann', 'bob'] });
  const sent = await fetch(`${ruyi.api}/message/send`, {
    method: 'POST',
    headers: { prefer: 'wait=30' },
    body: JSON.stringify({ from_uid: 'ann', channel_id: 'g1', channel_type: 2, payload: payload('上海 Hello') }),
  });
  expect(await sent.json()).toMatchObject({ status: 200, data: { message_seq: 1 } });
  const log = await ruyi.post('/channel/messagesync', { channel_id: 'g1', channel_type: 2 });
  expect(log.body).toMatchObject({ more: 0, messages: [{ message_seq: 1, channel_id: 'g1', from_uid: 'ann' }] });
  await waitFor(async () => (await search('bob', '海')).total === 1, { what: 'the message to be findable' });
  expect(await search('bob', 'hel')).toMatchObject({
    total: 1,
    messages: [{ payload: { content: '上海 <mark>Hel</mark>lo' } }],
  });
  expect((await search('eve', '上海')).total).toBe(0);
});

test('commands are synced, acknowledged, and not shown again', async () => {
  for (const text of ['one', 'two']) {
    await ruyi.post('/message/send', {
      header: { sync_once: 1 },
      subscribers: ['carl', 'dora'],
      payload: payload(text),
    });
  }
  const sync = async (uid: string) => (await ruyi.post<Message[]>('/message/sync', { uid })).body;
  await waitFor(async () => (await sync('carl')).length === 2, { what: "carl's commands" });
  expect((await sync('carl')).map(({ message_seq }) => message_seq)).toEqual([1, 2]);
  expect((await ruyi.post('/message/syncack', { uid: 'carl', last_message_seq: 1 })).body).toEqual({ status: 200 });
  expect((await sync('carl')).map(({ message_seq }) => message_seq)).toEqual([2]);
  await waitFor(async () => (await sync('dora')).length === 2, { what: "dora's commands" });
});

test('after Ctrl-C and a second start everything is still there, and seqs continue', async () => {
  const exit = await up.kill('SIGINT');
  expect(exit).toEqual({ code: 0, signal: null });
  await ruyi.start();
  expect(await readAll('u5000', 'news')).toHaveLength(1);
  expect((await search('u5000', '北京')).total).toBe(1);
  const sent = await ruyi.post<{ batch_no: string }>('/message/sendbatch', {
    from_uid: 'news',
    subscribers: ['u5000', '', 'a@b', 'u5000'],
    payload: payload('again'),
  });
  expect(sent.body).toMatchObject({ accepted: 1, fail_uids: ['', 'a@b'], reason: ['用户ID不合法', '用户ID不合法'] });
  const messages = await waitFor(
    async () => {
      const all = await readAll('u5000', 'news');
      return all.length === 2 ? all : undefined;
    },
    { what: 'the second batch' },
  );
  expect(messages.map(({ message_seq }) => message_seq)).toEqual([1, 2]);
  // A check that takes long is not known for a moment.
  await expect
    .poll(() => ruyi.get('/health'), { timeout: 30_000 })
    .toMatchObject({ status: 200, body: { status: 'ok' } });
  expect((await fetch(ruyi.board)).status).toBe(200);
});
