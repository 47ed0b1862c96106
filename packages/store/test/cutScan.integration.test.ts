import { connect as connectTcp, createServer, type Server, type Socket } from 'node:net';
import { channelName } from '@ruyi/contracts';
import { connect } from '@ruyi/redis';
import { createStore, encodeEntry, keys, shardOf } from '@ruyi/store';
import { startRedis, type TestRedis } from '@ruyi/testkit';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { LIMITS, message, names } from './harness.ts';

const LOGS = 300;
let server: TestRedis;
let proxy: Server;
let url: string;
/** bytes of replies after which the next connection is cut, once */
let cutAfter = Infinity;

beforeAll(async () => {
  server = await startRedis();
  for (const room of names(LOGS, '2:room')) {
    await server.client.zadd(keys.log(shardOf(room, LIMITS.shards), room), 1, encodeEntry(message(1, { ch: room })));
  }
  proxy = createServer((client) => {
    const redis = connectTcp(server.port, '127.0.0.1');
    const end = () => [client, redis].map((socket: Socket) => socket.destroy());
    for (const socket of [client, redis]) socket.on('error', end).on('close', end);
    client.pipe(redis);
    redis.on('data', (data) => {
      const part = data.subarray(0, cutAfter);
      cutAfter -= part.length;
      if (part.length === data.length) return void client.write(data);
      cutAfter = Infinity;
      client.write(part, end);
    });
  });
  await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve));
  const address = proxy.address();
  url = `redis://127.0.0.1:${typeof address === 'object' && address ? address.port : 0}`;
});
afterAll(async () => {
  await new Promise((resolve) => proxy.close(resolve));
  await server.stop();
});

// All of them are about 26,000 bytes.
test.each([100, 5000, 12_000, 18_000, 25_000])(
  'a scan whose connection is cut after %i bytes of replies misses no log',
  async (bytes) => {
    const redis = connect(url, 'background', 'test');
    redis.on('error', () => {});
    try {
      await redis.ping();
      cutAfter = bytes;
      const seen = new Set<string>();
      for await (const { pages } of createStore(redis, LIMITS).logScan.pages()) {
        for (const { channel, entries } of pages) if (entries.length === 1) seen.add(channel);
      }
      expect(cutAfter).toBe(Infinity);
      expect(seen.size).toBe(LOGS);
      expect(seen).toContain(channelName(2, 'room7'));
    } finally {
      redis.disconnect();
    }
  },
);
