import { fileURLToPath } from 'node:url';
import { startCluster, startProcess, type TestCluster, type TestProcess, tempDir, waitFor } from '@ruyi/testkit';
import { afterAll, beforeAll, expect, test } from 'vitest';

/** A whole installation on a Redis Cluster of three masters. */

const entry = (app: string) => fileURLToPath(new URL(`../apps/${app}/dist/main.js`, import.meta.url));
const payload = (content: string) => Buffer.from(JSON.stringify({ content })).toString('base64');
const BATCH = 10_000;
const BATCHES = 20;

let cluster: TestCluster;
let settings: Record<string, string>;
let api = '';
const folder = tempDir('even cluster');
const started: TestProcess[] = [];

const post = async (path: string, body: unknown) => {
  const response = await fetch(`${api}${path}`, { method: 'POST', body: JSON.stringify(body) });
  expect(response.status).toBe(200);
  return (await response.json()) as Record<string, unknown>;
};
const stateOf = async (batchNo: string) => {
  const response = await fetch(`${api}/message/sendbatch/${batchNo}`);
  return (await response.json()) as Record<string, unknown>;
};
/** Calls of a command that each master has executed. */
const calls = (command: string) =>
  Promise.all(
    cluster.nodes.map(async ({ client }) => {
      const stats = await client.info('commandstats');
      return Number(new RegExp(`^cmdstat_${command}:calls=(\\d+)`, 'm').exec(stats)?.[1] ?? 0);
    }),
  );

beforeAll(async () => {
  cluster = await startCluster({ replicasPerMaster: 0 });
  settings = { REDIS_URL: cluster.url, DATA_DIR: folder.path, PORT: '0', LOG_LEVEL: 'silent' };
  for (const app of ['worker', 'indexer', 'api']) started.push(await startProcess(entry(app), settings));
  api = String(started.at(-1)?.details.address);
});
afterAll(async () => {
  for (const process of started) expect(await process.kill('SIGTERM')).toEqual({ code: 0, signal: null });
  await cluster.stop();
  folder.remove();
});

test('messages of every shard are found, and found again after ruyi reindex', async () => {
  const rooms = Array.from({ length: 60 }, (_, i) => `room${i}`);
  await post('/channel', { channel_id: rooms[0], channel_type: 2, subscribers: ['ann'] });
  for (const room of rooms) {
    await post('/channel', { channel_id: room, channel_type: 2, subscribers: ['ann'] });
    await post('/message/send', { from_uid: 'bob', channel_id: room, channel_type: 2, payload: payload('needle') });
  }
  const found = async () => {
    const query = { uid: 'ann', payload: { content: 'needle' }, limit: 100 };
    // On a busy machine there may be no search process with the time for it.
    const served = () => post('/plugins/wk.plugin.search/usersearch', query);
    return (await waitFor(served, { what: 'a search to be served' })).total;
  };
  await waitFor(async () => (await found()) === rooms.length, { what: 'all to be found', deadlineMs: 30_000 });
  const reindex = await startProcess(entry('cli'), settings, { args: ['reindex'], waitForReady: false });
  expect(await reindex.exit).toEqual({ code: 0, signal: null });
  expect(await found()).toBe(rooms.length);
  // Each master holds some of them.
  const logs = await Promise.all(cluster.nodes.map(({ client }) => client.keys('r:{*}:log:2:room*')));
  expect(Math.min(...logs.map(({ length }) => length))).toBeGreaterThan(0);
});

test('a broadcast to 200,000 writes as much on each master, within 10 %', async () => {
  const before = await Promise.all(['zadd', 'evalsha'].map(calls));
  const numbers: string[] = [];
  for (let n = 0; n < BATCHES; n++) {
    const subscribers = Array.from({ length: BATCH }, (_, i) => `user-${n * BATCH + i}`);
    const { batch_no } = await post('/message/sendbatch', { from_uid: 'news', subscribers, payload: payload('hello') });
    numbers.push(String(batch_no));
  }
  for (const number of numbers) {
    await waitFor(async () => (await stateOf(number)).state === 'done', { what: 'a batch', deadlineMs: 50_000 });
  }
  const after = await Promise.all(['zadd', 'evalsha'].map(calls));
  const [zadd = [], evalsha = []] = after.map((counts, c) => counts.map((count, i) => count - (before[c]?.[i] ?? 0)));
  console.log(`per master: ZADD ${zadd.join(', ')}; EVALSHA ${evalsha.join(', ')}`);
  expect(zadd.reduce((sum, n) => sum + n, 0)).toBeGreaterThanOrEqual(BATCH * BATCHES);
  const mean = zadd.reduce((sum, n) => sum + n, 0) / zadd.length;
  for (const count of zadd) expect(Math.abs(count / mean - 1)).toBeLessThanOrEqual(0.1);
}, 120_000);
