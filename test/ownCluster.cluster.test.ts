import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { connect, mastersOf } from '@ruyi/redis';
import { processesOf, tempDir, waitFor } from '@ruyi/testkit';
import { afterAll, expect, test } from 'vitest';
import { newInstallation } from './installation.ts';

const folder = tempDir('own cluster');
const MEMORY = 384 * 1024 * 1024;
const ruyi = await newInstallation({ DATA_DIR: folder.path, REDIS_NODES: '3', REDIS_MAXMEMORY: String(MEMORY) });
afterAll(async () => {
  await ruyi.remove();
  folder.remove();
});

const rooms = Array.from({ length: 40 }, (_, i) => `room${i}`);
const servers = () => processesOf(folder.path).filter(({ command }) => command.includes('redis-server'));
const send = async () => {
  for (const room of rooms) {
    const message = {
      from_uid: 'ann',
      channel_id: room,
      channel_type: 2,
      payload: 'aGk=',
      client_msg_no: `${Math.random()}`,
    };
    await waitFor(async () => (await ruyi.post('/message/send', message)).status === 200, {
      what: `${room} to be sent to`,
    });
  }
};
const stored = async () => {
  let count = 0;
  for (const room of rooms) {
    const range = { login_uid: 'ann', channel_id: room, channel_type: 2, limit: 100 };
    const { body } = await ruyi.post<{ messages: unknown[] }>('/channel/messagesync', range);
    count += body.messages.length;
  }
  return count;
};
const untilStored = (count: number) =>
  waitFor(async () => (await stored()) === count, { what: `${count} messages`, deadlineMs: 30_000, everyMs: 200 });

test('npm start runs a cluster, restarts a node that was killed, ends cleanly and keeps the data', async () => {
  const up = await ruyi.start();
  expect(servers()).toHaveLength(3);
  const url = readFileSync(join(folder.path, 'run/redis-url'), 'utf8');
  expect(url).toMatch(/^redis\+cluster:\/\/:\w{64}@127/);
  expect(statSync(join(folder.path, 'redis/cluster.json')).mode & 0o777).toBe(0o600);
  expect(
    servers()
      .map(({ command }) => command)
      .join(),
  ).not.toContain(/:(\w{64})@/.exec(url)?.[1]);

  const connection = connect(url, 'request', 'test');
  const masters = await mastersOf(connection);
  const limits = await Promise.all(masters.map(({ redis }) => redis.config('GET', 'maxmemory')));
  expect(limits).toEqual([1, 2, 3].map(() => ['maxmemory', String(MEMORY / 3)]));
  connection.disconnect();
  await send();
  await untilStored(rooms.length);

  const [victim] = servers();
  process.kill(victim?.pid ?? 0, 'SIGKILL');
  await waitFor(() => servers().length === 3 && !servers().some(({ pid }) => pid === victim?.pid), {
    what: 'a new node',
  });
  await send();
  await untilStored(2 * rooms.length);

  expect(await up.kill('SIGINT')).toEqual({ code: 0, signal: null });
  expect(servers()).toEqual([]);
  const again = await ruyi.start();
  await untilStored(2 * rooms.length);
  await send();
  await untilStored(3 * rooms.length);
  expect(await again.kill('SIGINT')).toEqual({ code: 0, signal: null });
}, 180_000);

test('the number of nodes is fixed once there is data', async () => {
  for (const nodes of ['1', '2']) {
    const other = await newInstallation({ DATA_DIR: folder.path, REDIS_NODES: nodes });
    await expect(other.start()).rejects.toThrow(new RegExp(`^REDIS_NODES=${nodes}: .*set REDIS_NODES=3`));
  }
});
