import { join } from 'node:path';
import { connect, isTransient, isUnavailable, unixUrl } from '@ruyi/redis';
import { startRedis, type TestRedis, tempDir, waitFor } from '@ruyi/testkit';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, expect, test } from 'vitest';

// What must be encoded in an address is in its name.
const folder = tempDir('unix # ? %41');
const socket = join(folder.path, 'redis.sock');
let redis: TestRedis;
let url: string;

beforeAll(async () => {
  redis = await startRedis({ args: ['--unixsocket', socket] });
  await redis.client.call('ACL', 'SETUSER', 'ann', 'on', '>p@ss', '~*', '&*', '+@all');
  url = `${unixUrl(socket).replace('//', '//ann:p%40ss@')}#3`;
});
afterAll(async () => {
  await redis.stop();
  folder.remove();
});

test.each<Parameters<typeof connect>[1]>(['request', 'background', 'worker'])(
  'a connection for %s speaks over it',
  async (role) => {
    const connection = connect(url, role, 'test');
    if (!(connection instanceof Redis)) throw new Error('this is one Redis');
    expect(await connection.call('ACL', 'WHOAMI')).toBe('ann');
    expect(await connection.client('INFO')).toMatch(/ db=3 /);
    // BullMQ makes its own connections from the one it is given.
    const copy = connection.duplicate();
    expect(await copy.client('INFO')).toMatch(/ db=3 .* user=ann /);
    copy.disconnect();
    connection.disconnect();
  },
);

test('while the socket is not there, the failure counts as a Redis that is away', async () => {
  const connection = connect(unixUrl(join(folder.path, 'none.sock')), 'request', 'test');
  const seen: unknown[] = [];
  connection.on('error', (error) => seen.push(error));
  const failure = await connection.ping().catch((error: unknown) => error);
  await waitFor(() => seen.length > 0, { what: 'the error of the connection' });
  for (const error of [failure, seen[0]]) expect([isTransient(error), isUnavailable(error)]).toEqual([true, true]);
  connection.disconnect();
});
