import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { seededRandom, tempDir, waitFor } from '@ruyi/testkit';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Installation, newInstallation } from './installation.ts';

/**
 * An installation is exported and imported into another one, with its own folder and number of shards, and a Redis Cluster
 * instead of one Redis. Both then give the same answers.
 */

interface Read {
  method: 'GET' | 'POST';
  path: string;
  body?: unknown;
}
interface Sent {
  data: { message_id: number; message_seq?: number };
}

const folder = tempDir('export');
const file = join(folder.path, 'everything.ndjson');
const SETTINGS = { LOG_RETENTION: '25', INBOX_KEEP: '4', INBOX_MAX: '40' };
const USERS = Array.from({ length: 40 }, (_, i) => `u${i}`);
const GROUPS = ['g1', 'g2', 'g3', '组 四'];
const WORDS = ['北京大学', 'hello world', '上海', 'naïve café', '你好', 'zebra-crossing'];
const random = seededRandom();
const base64 = (text: string) => Buffer.from(text).toString('base64');

let source: Installation;
let target: Installation;
const firstIds: number[] = [];
const answers = new Map<Read, unknown>();

const pick = <T>(items: readonly T[]): T => {
  const item = items[random.whole(0, items.length - 1)];
  if (item === undefined) throw new Error('nothing to pick from');
  return item;
};
const payload = (i: number) =>
  pick([
    base64(JSON.stringify({ type: random.whole(1, 3), content: `${pick(WORDS)} ${i}` })),
    base64(JSON.stringify({ type: 1, content: `${pick(WORDS)} ${pick(WORDS)}`, n: 1e21 })),
    base64(`no JSON ${i} \u0000\u00ff`),
  ]);

async function post<T>(path: string, body: unknown): Promise<T> {
  const response = await fetch(`${source.api}${path}`, {
    method: 'POST',
    headers: { prefer: 'wait=30' },
    body: JSON.stringify(body),
  });
  expect([path, response.status]).toEqual([path, 200]);
  return (await response.json()) as T;
}

async function seedTraffic(): Promise<void> {
  for (const channel_id of GROUPS) {
    const subscribers = USERS.filter(() => random.next() < 0.5);
    await post('/channel', { channel_id, channel_type: 2, large: random.whole(0, 1), subscribers });
  }
  for (const uid of USERS.slice(0, 10)) {
    await post('/user/token', { uid, token: `secret-${uid}`, device_flag: 1, device_level: 1 });
  }
  for (let i = 0; i < 240; i++) {
    const isPersonal = random.next() < 0.4;
    const { data } = await post<Sent>('/message/send', {
      from_uid: pick(USERS.slice(0, 6)),
      channel_id: isPersonal ? pick(USERS.slice(6, 12)) : pick(GROUPS),
      channel_type: isPersonal ? 1 : 2,
      payload: payload(i),
      client_msg_no: `single-${i}`,
      header: { red_dot: random.whole(0, 1), sync_once: random.next() < 0.25 ? 1 : 0 },
      setting: random.whole(0, 255),
      topic: pick(['', 'news']),
      stream_no: pick(['', 's1']),
      ...(random.next() < 0.15 ? { expire: 1 } : {}),
    });
    firstIds.push(data.message_id);
  }
  for (let i = 0; i < 30; i++) {
    const body = { from_uid: pick(['news', 'u1']), subscribers: USERS, payload: payload(i) };
    const sync_once = i % 5 === 0 ? 1 : 0;
    if (sync_once) await post('/message/send', { ...body, header: { sync_once } });
    else await post('/message/sendbatch', { ...body, expire: i % 7 === 0 ? 86_400 : 0, client_msg_no: `batch-${i}` });
  }
  for (const uid of USERS.slice(0, 20)) {
    const commands = await post<{ message_seq: number }[]>('/message/sync', { uid });
    await post('/message/syncack', {
      uid,
      last_message_seq: commands[random.whole(0, commands.length - 1)]?.message_seq ?? 0,
    });
  }
}

/** More than 100 reads and 40 searches. */
function reads(): Read[] {
  const list: Read[] = [];
  for (const login_uid of USERS.slice(0, 12)) {
    for (const channel_id of ['news', 'u1', 'u7', pick(USERS)].filter((peer) => peer !== login_uid)) {
      const name = { login_uid, channel_id, channel_type: 1 };
      list.push({ method: 'POST', path: '/channel/messagesync', body: { ...name, limit: pick([5, 100]) } });
      list.push({
        method: 'GET',
        path: `/channel/max_message_seq?login_uid=${login_uid}&channel_id=${channel_id}&channel_type=1`,
      });
    }
    list.push({ method: 'POST', path: '/message/sync', body: { uid: login_uid } });
    list.push({ method: 'POST', path: '/message/sync', body: { uid: login_uid, message_seq: 2 } });
  }
  for (const channel_id of GROUPS) {
    const name = { login_uid: 'u1', channel_id, channel_type: 2 };
    const query = `channel_id=${encodeURIComponent(channel_id)}&channel_type=2`;
    list.push({ method: 'POST', path: '/channel/messagesync', body: { ...name, start_message_seq: 1, pull_mode: 1 } });
    list.push({
      method: 'POST',
      path: '/messages',
      body: { ...name, message_seqs: [1, 20, 40], message_ids: firstIds.slice(100, 140) },
    });
    list.push({ method: 'POST', path: '/messages', body: { ...name, client_msg_nos: ['single-200', 'single-239'] } });
    for (const path of ['/channel/max_message_seq', '/channel/info', '/channel/subscribers']) {
      list.push({ method: 'GET', path: `${path}?${query}` });
    }
  }
  for (let i = 0; i < 60; i++) {
    const content = pick(['北京', '上海', 'hello', 'cafe', '你好', 'zebra', 'world 1']);
    const channel = random.next() < 0.3 ? { channel_id: pick(GROUPS), channel_type: 2 } : {};
    list.push({
      method: 'POST',
      path: '/plugins/wk.plugin.search/usersearch',
      body: { uid: pick(USERS.slice(0, 12)), payload: { content }, limit: pick([3, 100]), ...channel },
    });
  }
  return list;
}

const ask = async (ruyi: Installation, { method, path, body }: Read) =>
  method === 'GET' ? ruyi.get(path) : ruyi.post(path, body);
/** The order of subscribers is by shard. */
const comparable = (answer: unknown): unknown => {
  const { body } = answer as { body: { subscribers?: string[] } };
  return Array.isArray(body.subscribers) ? body.subscribers.toSorted() : answer;
};
const indexed = async (ruyi: Installation, total: number) =>
  waitFor(
    async () => {
      const { body } = await ruyi.post('/plugins/wk.plugin.search/usersearch', { uid: 'u39', topic: 'last' });
      return body.total === total;
    },
    { what: 'the last message to be found', deadlineMs: 30_000 },
  );

beforeAll(async () => {
  source = await newInstallation(SETTINGS);
  target = await newInstallation({ ...SETTINGS, SHARDS: '16', REDIS_NODES: '3' });
  const up = await source.start();
  await seedTraffic();
  for (let i = 0; i < 2; i++)
    await post('/message/send', {
      from_uid: 'u38',
      channel_id: 'u39',
      channel_type: 1,
      topic: 'last',
      payload: payload(i),
    });
  await indexed(source, 2);
  await waitFor(async () => {
    const { body } = await source.post<{ messages: { expire: number }[] }>('/channel/messagesync', {
      login_uid: 'u1',
      channel_id: 'g1',
      channel_type: 2,
      limit: 1000,
    });
    return body.messages.every(({ expire }) => expire !== 1);
  });
  // `total` counts what was trimmed since it was indexed; a new index does not know that.
  expect(await source.ruyi('reindex')).toMatchObject({ code: 0 });
  for (const read of reads()) answers.set(read, comparable(await ask(source, read)));
  expect(await source.ruyi('export', '--out', file)).toMatchObject({ code: 0 });
  await up.kill('SIGINT');
});
afterAll(async () => {
  await Promise.all([source.remove(), target.remove()]);
  folder.remove();
});

test('an export is JSON lines between a first and a last one that say what they are, for its owner only', () => {
  const lines = readFileSync(file, 'utf8')
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line));
  expect(lines[0]).toMatchObject({ kind: 'ruyi-export', format: 1, shards: 64, of: 'everything' });
  const end = lines.at(-1);
  expect(end.kind).toBe('end');
  for (const kind of [
    'message',
    'entry',
    'seq',
    'command',
    'command_entry',
    'cursor',
    'body',
    'channel',
    'user',
    'subscribers',
    'idempotency',
    'progress',
  ]) {
    expect([kind, end.counts[kind]]).toEqual([kind, expect.any(Number)]);
  }
  // The body of a broadcast is there once, whatever the number of recipients.
  const bodies = lines.filter(({ kind }) => kind === 'body');
  expect(new Set(bodies.map(({ ref }) => ref)).size).toBe(bodies.length);
  expect(bodies.length).toBeGreaterThanOrEqual(30);
  expect(end.counts.entry).toBeGreaterThan(800);
  expect(statSync(file).mode & 0o777).toBe(0o600);
});

test('the other installation gives the same answers to reads and searches', async () => {
  expect(await target.ruyi('import', file)).toMatchObject({ code: 0, output: expect.stringContaining('imported: ') });
  await target.start();
  await indexed(target, 2);
  let searches = 0;
  for (const [read, answer] of answers) {
    const now = async () => [read, comparable(await ask(target, read))];
    if (read.path.includes('usersearch')) {
      searches++;
      // Broadcasts are indexed after all other messages.
      await expect.poll(now, { timeout: 30_000 }).toEqual([read, answer]);
    } else expect(await now()).toEqual([read, answer]);
  }
  expect(searches).toBeGreaterThanOrEqual(40);
  expect(answers.size - searches).toBeGreaterThan(100);
  const found = [...answers.values()].filter((answer) => JSON.stringify(answer).includes('message_id'));
  expect(found.length).toBeGreaterThan(50);
});

test('seqs and ids go on after those of before, also in a log whose last messages are gone', async () => {
  for (const channel_id of GROUPS) {
    const { body: before } = await target.get<{ message_seq: number }>(
      `/channel/max_message_seq?channel_id=${encodeURIComponent(channel_id)}&channel_type=2`,
    );
    const response = await fetch(`${target.api}/message/send`, {
      method: 'POST',
      headers: { prefer: 'wait=30' },
      body: JSON.stringify({ from_uid: 'u1', channel_id, channel_type: 2, payload: payload(0) }),
    });
    const { data } = (await response.json()) as Sent;
    expect(data.message_seq).toBe(before.message_seq + 1);
    expect(data.message_id).toBeGreaterThan(Math.max(...firstIds));
  }
});

test('an import beside processes, or into an installation with data, is refused in one line', async () => {
  const beside = await target.ruyi('import', file);
  expect(beside).toMatchObject({
    code: 1,
    output: expect.stringMatching(/^processes run on this Redis \(.*\): stop all of them first\n$/),
  });
  const into = await source.ruyi('import', file);
  expect(into).toMatchObject({
    code: 1,
    output: expect.stringMatching(/^this Redis holds data already \(r:.*\): an import needs an empty one; [^\n]*\n$/),
  });
  const nothing = join(folder.path, 'not.ndjson');
  writeFileSync(nothing, 'hello\n');
  expect(await source.ruyi('import', nothing)).toEqual({ code: 1, output: 'line 1: it is no JSON\n' });
});
