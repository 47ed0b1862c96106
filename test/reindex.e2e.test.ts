import { kill } from 'node:process';
import { seededRandom, waitFor } from '@ruyi/testkit';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Installation, newInstallation } from './installation.ts';

/** `ruyi reindex` with killed indexers under traffic: in the end every message is found exactly once. */

const BATCH = Array.from({ length: 20_000 }, (_, i) => `u${i}`);
const payload = (content: string) => Buffer.from(JSON.stringify({ content })).toString('base64');
const MEMBERS = ['ann', 'bob'];

let ruyi: Installation;

beforeAll(async () => {
  ruyi = await newInstallation();
  await ruyi.start();
  await ruyi.post('/channel', { channel_id: 'room', channel_type: 2, subscribers: MEMBERS });
});
afterAll(() => ruyi.remove());

async function found(uid: string, content: string): Promise<{ total: number; shown: number }> {
  const query = { uid, payload: { content }, limit: 1000 };
  const { total, messages } = await ruyi.search<{ total: number; messages: { message_id: number }[] }>(query);
  return { total, shown: new Set(messages.map(({ message_id }) => message_id)).size };
}

async function sendRoomMessages(count: number): Promise<void> {
  for (let i = 0; i < count; i++) {
    const { status } = await ruyi.post('/message/send', {
      from_uid: 'ann',
      channel_id: 'room',
      channel_type: 2,
      payload: payload(`上海的消息${i}`),
    });
    expect(status).toBe(200);
  }
}

test('a reindex continues after its indexer is killed in the middle; nothing is missing or duplicated', async () => {
  const random = seededRandom();
  const { body } = await ruyi.post<{ batch_no: string }>('/message/sendbatch', {
    from_uid: 'news',
    subscribers: BATCH,
    payload: payload('你是北京大学的吗'),
  });
  await sendRoomMessages(60);
  await waitFor(async () => (await ruyi.get(`/message/sendbatch/${body.batch_no}`)).body.state === 'done', {
    what: 'the batch to be stored',
    deadlineMs: 60_000,
  });
  const reindexing = ruyi.ruyi('reindex');
  const traffic = sendRoomMessages(140);
  await waitFor(() => {
    kill(ruyi.pidOf('indexer/dist/main.js'), 'SIGKILL');
    return true;
  });
  expect(await reindexing).toMatchObject({ code: 0, output: expect.stringContaining('100 %') });
  await traffic;
  await waitFor(async () => (await found('bob', '上海')).total === 200, {
    what: 'all messages to the room to be found',
    deadlineMs: 60_000,
  });
  expect(await found('bob', '海的')).toEqual({ total: 200, shown: 200 });
  const some = Array.from({ length: 50 }, () => `u${random.whole(0, BATCH.length - 1)}`);
  for (const uid of some) expect(await found(uid, '京大')).toEqual({ total: 1, shown: 1 });
  expect(await found('eve', '京大')).toEqual({ total: 0, shown: 0 });
});

test('a second reindex changes nothing', async () => {
  const before = await found('bob', '消息');
  expect(await ruyi.ruyi('reindex')).toMatchObject({ code: 0 });
  expect(await found('bob', '消息')).toEqual(before);
  expect(await ruyi.ruyi('search', '--uid', 'u7', '北京')).toMatchObject({
    code: 0,
    output: expect.stringContaining('你是«北京»大学的吗'),
  });
});
