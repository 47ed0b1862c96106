import { connect } from '@ruyi/redis';
import { createStore, keys } from '@ruyi/store';
import { seededRandom, startRedis, waitFor } from '@ruyi/testkit';
import { expect, test } from 'vitest';
import { LIMITS, testStores } from './harness.ts';

const redis = testStores();
const LAST = Number.MAX_SAFE_INTEGER;

test('blocks that four processes lease at once do not overlap', async () => {
  const random = seededRandom();
  const blocks: [number, number][] = [];
  await Promise.all(
    Array.from({ length: 4 }, async () => {
      const { ids } = redis.open();
      for (let i = 0; i < 150; i++) {
        const count = random.whole(1, 5000);
        const first = await ids.block(count);
        blocks.push([first, first + count]);
      }
    }),
  );
  blocks.sort(([a], [b]) => a - b);
  for (const [i, [first, after]] of blocks.entries()) {
    expect(Number.isSafeInteger(first) && Number.isSafeInteger(after)).toBe(true);
    expect(first).toBeGreaterThanOrEqual(blocks[i - 1]?.[1] ?? 0);
  }
});

test('single ids of four processes are all different, and rise within one', async () => {
  const all = await Promise.all(
    Array.from({ length: 4 }, async () => {
      const { ids } = redis.open();
      const own: number[] = [];
      for (let i = 0; i < 100; i++) own.push(...(await Promise.all(Array.from({ length: 25 }, () => ids.one()))));
      return own;
    }),
  );
  for (const own of all) expect(own).toEqual(own.toSorted((a, b) => a - b));
  expect(new Set(all.flat()).size).toBe(4 * 2500);
});

test('ids follow the clock of Redis', async () => {
  const { ids } = redis.open();
  const [seconds] = await redis.client.time();
  const first = await ids.block(1);
  expect(Math.floor(first / 2048 / 1000)).toBeGreaterThanOrEqual(Number(seconds));
  expect(Math.floor(first / 2048 / 1000)).toBeLessThan(Number(seconds) + 60);
});

test('ids do not go back when the clock does', async () => {
  const { ids } = redis.open();
  const ahead = (Date.now() + 86_400_000) * 2048;
  await ids.block(1);
  await redis.client.set(keys.ids, String(ahead));
  expect(await ids.block(10)).toBe(ahead);
  expect(await ids.block(1)).toBe(ahead + 10);
});

test('no digit is lost up to 2^53 - 1, and beyond it nothing is leased', async () => {
  const { ids } = redis.open();
  await ids.block(1);
  await redis.client.set(keys.ids, String(LAST - 10));
  expect(await ids.block(3)).toBe(LAST - 10);
  expect(await redis.client.get(keys.ids)).toBe(String(LAST - 7));
  await expect(ids.block(8)).rejects.toThrow(/used up/);
  expect(await ids.block(6)).toBe(LAST - 7);
  expect(await ids.block(1)).toBe(LAST - 1);
  await expect(ids.block(1)).rejects.toThrow(/used up/);
  expect(await redis.client.get(keys.ids)).toBe(String(LAST));
});

test('what was leased before a loss of power is not leased again, though Redis has forgotten it, and its clock is behind', async () => {
  const server = await startRedis({ appendonly: true });
  const connection = connect(server.url, 'background', 'test');
  connection.on('error', () => {});
  try {
    const { ids } = createStore(connection, LIMITS);
    await ids.block(1);
    const ahead = (Date.now() + 3_600_000) * 2048;
    await server.client.set(keys.ids, String(ahead));
    const last = (await ids.block(100_000)) + 100_000;
    // The end of the AOF is lost.
    await server.client.set(keys.ids, String(ahead));
    await server.restart();
    const first = await waitFor(() => ids.block(1), { what: 'an id' });
    expect(first).toBeGreaterThanOrEqual(last);
    // Only once: ids are not to run away from the clock.
    expect(await ids.block(1)).toBe(first + 1);
  } finally {
    connection.disconnect();
    await server.stop();
  }
});
