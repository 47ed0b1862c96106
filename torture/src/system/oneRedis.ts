import { startRedis } from '@ruyi/testkit';
import { Redis } from 'ioredis';
import { startProxy } from './proxy.ts';
import type { RedisNode, TorturedRedis } from './torturedRedis.ts';

const LONGEST_AWAY_MS = 3000;
const NOBODY = 1;

/** One redis-server with AOF, behind one proxy. */
export async function startOneRedis(): Promise<TorturedRedis> {
  const redis = await startRedis({ appendonly: true, args: ['--enable-debug-command', 'local'] });
  const proxy = await startProxy(redis.port);
  const node: RedisNode = { client: redis.client, dir: redis.dir, kill: redis.kill, start: redis.restart };
  return {
    name: 'one redis-server',
    settings: { REDIS_URL: `redis://127.0.0.1:${proxy.port}` },
    proxies: [proxy],
    client: redis.client,
    longestAwayMs: LONGEST_AWAY_MS,
    nodes: [node],
    only: redis,
    masters: async () => [node],
    async makeReadOnly({ client }) {
      await client.replicaof('127.0.0.1', NOBODY);
      return async () => {
        await client.replicaof('NO', 'ONE');
      };
    },
    openWatch() {
      const fast = { commandTimeout: 500, maxRetriesPerRequest: 0, retryStrategy: () => 100 };
      const client = new Redis({ ...fast, port: redis.port, host: '127.0.0.1' });
      client.on('error', () => {});
      return client;
    },
    whole: async () => {},
    async stop() {
      await proxy.close();
      await redis.stop();
    },
  };
}
