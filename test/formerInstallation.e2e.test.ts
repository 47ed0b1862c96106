import { copyFileSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { startRedis, type TestRedis, tempDir, waitFor } from '@ruyi/testkit';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Installation, newInstallation } from './installation.ts';

/**
 * Data of an earlier version, from before processes were members and scripts checked the schema (schema 3): written by
 * its API and worker, with jobs of a batch, a send and a group command still on their lanes, and without the expiry of
 * keys. `answers.json` holds what that version answered to reads.
 */
const FORMER = fileURLToPath(new URL('./fixtures/formerInstallation/', import.meta.url));

const READERS = 100;

interface Read {
  method: string;
  path: string;
  body?: unknown;
  answer: Record<string, unknown> | Record<string, unknown>[];
}
interface Messages {
  messages: { message_seq: number; message_id: number; client_msg_no: string }[];
}

const folder = tempDir('former');
const payload = (content: string) => Buffer.from(JSON.stringify({ type: 1, content })).toString('base64');
let redis: TestRedis;
let ruyi: Installation;

beforeAll(async () => {
  copyFileSync(join(FORMER, 'dump.rdb'), join(folder.path, 'dump.rdb'));
  redis = await startRedis({ args: ['--dir', folder.path] });
  ruyi = await newInstallation({ REDIS_URL: redis.url });
  await ruyi.start();
});
afterAll(async () => {
  await ruyi.remove();
  await redis.stop();
  folder.remove();
});

const ask = async (read: Read): Promise<unknown> =>
  (read.method === 'GET' ? await ruyi.get(read.path) : await ruyi.post(read.path, read.body)).body;
const groupLog = async () =>
  (await ruyi.post<Messages>('/channel/messagesync', { login_uid: 'u1', channel_id: 'g1', channel_type: 2 })).body
    .messages;
const broadcastsOf = async (uid: string) =>
  (await ruyi.post<Messages>('/channel/messagesync', { login_uid: uid, channel_id: 'news', channel_type: 1 })).body
    .messages;

/** Lanes work side by side: that one reader has a broadcast says nothing of the others. */
const everyoneHas = async (count: number) => {
  for (let i = 0; i < READERS; i++) if ((await broadcastsOf(`r${i}`)).length !== count) return false;
  return true;
};

test('jobs that the earlier version left are worked, and everything before them reads as it did', async () => {
  await waitFor(async () => (await groupLog()).length === 11 && (await everyoneHas(4)), {
    what: 'the jobs left behind to be worked',
    deadlineMs: 30_000,
  });
  const reads: Read[] = JSON.parse(readFileSync(join(FORMER, 'answers.json'), 'utf8'));
  expect(reads.length).toBeGreaterThan(10);
  for (const read of reads) {
    const then = Array.isArray(read.answer) ? read.answer : read.answer.messages;
    const now = await ask(read);
    // What was waiting has been stored since.
    if (Array.isArray(then) && then.length > 0) {
      const list = Array.isArray(now) ? now : (now as { messages: unknown[] }).messages;
      expect(list.slice(0, then.length), JSON.stringify(read.body)).toEqual(then);
    } else if (!read.path.startsWith('/channel/max_message_seq')) expect(now).toEqual(read.answer);
  }
});

test('seqs go on, a repeated send is recognised, commands and search go on', async () => {
  const before = await groupLog();
  const repeat = { from_uid: 'u1', channel_id: 'g1', channel_type: 2, client_msg_no: 'g3', payload: payload('repeat') };
  const { body } = await ruyi.post<{ data: { message_id: number } }>('/message/send', repeat);
  expect(body.data.message_id).toBe(before.find(({ client_msg_no }) => client_msg_no === 'g3')?.message_id);
  await ruyi.post('/message/send', { ...repeat, client_msg_no: 'g12' });
  const uids = Array.from({ length: READERS }, (_, i) => `r${i}`);
  await ruyi.post('/message/sendbatch', { from_uid: 'news', subscribers: uids, payload: payload('broadcast 5') });
  await waitFor(async () => (await groupLog()).length === 12 && (await everyoneHas(5)), {
    what: 'the new messages to be stored',
  });
  expect((await groupLog()).map(({ message_seq }) => message_seq)).toEqual(Array.from({ length: 12 }, (_, i) => i + 1));
  for (const uid of uids) expect((await broadcastsOf(uid)).map((m) => m.message_seq)).toEqual([1, 2, 3, 4, 5]);
  const commands = async () =>
    (await ruyi.post<{ message_seq: number }[]>('/message/sync', { uid: 'u5' })).body.map(
      ({ message_seq }) => message_seq,
    );
  // The last one is of a job that was left, in a lane of its own.
  await expect.poll(commands, { timeout: 30_000 }).toEqual([3, 4, 5, 6]);
  const found = async (content: string) => (await ruyi.search({ uid: 'r7', payload: { content } })).total;
  await waitFor(async () => (await found('broadcast')) === 5, {
    what: 'all broadcasts to be found',
    deadlineMs: 30_000,
  });
});
