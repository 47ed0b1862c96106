import type { Socket } from 'node:net';
import { connect, type RedisClient } from '@ruyi/redis';
import { startRedis, type TestRedis } from '@ruyi/testkit';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

let server: TestRedis;
beforeAll(async () => {
  server = await startRedis();
});
afterAll(() => server.stop());

describe.each(['request', 'worker'] as const)('a connection for %s', (role) => {
  async function withConnection(use: (redis: RedisClient) => Promise<void>): Promise<void> {
    const redis = connect(server.url, role, 'test');
    redis.on('error', () => {});
    try {
      await redis.ping();
      await use(redis);
    } finally {
      redis.disconnect();
    }
  }

  const cut = (redis: RedisClient): void => {
    const stream: Socket = Reflect.get(redis, 'stream');
    stream.destroy();
  };

  test('fails what was asked for after it was lost and before that was noticed, and does not do it later', async () => {
    await withConnection(async (redis) => {
      cut(redis);
      await expect(redis.set('late', '1')).rejects.toThrow('Connection is closed');
      expect(await redis.get('late')).toBeNull();
    });
  });

  test('fails what was on its way when it was lost', async () => {
    await withConnection(async (redis) => {
      const asked = redis.blpop('nothing', 0);
      cut(redis);
      await expect(asked).rejects.toThrow('Connection is closed');
    });
  });

  test('does what is asked for once it is known to be lost, when it is back', async () => {
    await withConnection(async (redis) => {
      const closed = new Promise((resolve) => redis.once('close', resolve));
      cut(redis);
      await closed;
      expect(await redis.set(`known-${role}`, '1')).toBe('OK');
    });
  });
});

test('ioredis still has the private flushQueue, which rejects what waits for an answer (rejectUnanswered.ts)', async () => {
  const redis = connect(server.url, 'background', 'test');
  redis.on('error', () => {});
  await redis.ping();
  const asked = redis.blpop('nothing', 0);
  Reflect.apply(Reflect.get(redis, 'flushQueue'), redis, [new Error('flushed'), { offlineQueue: true }]);
  await expect(asked).rejects.toThrow('flushed');
  redis.disconnect();
});
