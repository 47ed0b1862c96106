import { toldPage } from '@ruyi/store';
import { describe, expect, test } from 'vitest';
import { testStores, upTo } from './harness.ts';
import { OUTBOX, SHARD, testOutbox } from './outboxHarness.ts';

const redis = testStores();
const { store, seqs } = testOutbox(redis);

describe('a page', () => {
  test('has 512 references, fewer if their messages are large, and at least one', async () => {
    const own = redis.open();
    await store(own, upTo(600));
    expect((await own.outboxes.read(SHARD))?.references).toHaveLength(512);
    await redis.client.flushall();
    await store(own, upTo(20), { job: 'large', payload: 'x'.repeat(180_000) });
    expect((await own.outboxes.read(SHARD))?.references.length).toBeGreaterThan(2);
    expect((await own.outboxes.read(SHARD))?.references.length).toBeLessThan(6);
    await redis.client.flushall();
    await store(own, [1, 2], { job: 'larger', payload: 'x'.repeat(900_000) });
    expect((await own.outboxes.read(SHARD))?.references).toHaveLength(1);
  });

  test('is removed once: nothing behind it is, whoever else has read it', async () => {
    const [one, other] = [redis.open().outboxes, redis.open().outboxes];
    await store(redis.open(), upTo(3));
    const pages = [await one.read(SHARD), await other.read(SHARD), await other.read(SHARD)];
    await store(
      redis.open(),
      upTo(3).map((i) => 10 + i),
    );
    expect(pages[0] && (await one.trim(pages[0]))).toBe(3);
    expect(pages[1] && (await other.trim(pages[1]))).toBeUndefined();
    expect(await seqs()).toEqual([4, 5, 6]);
    const later = await one.read(SHARD);
    expect(later && (await one.trim(later))).toBe(0);
    await store(
      redis.open(),
      upTo(9).map((i) => 20 + i),
    );
    expect(pages[2] && (await other.trim(pages[2]))).toBeUndefined();
    expect(await seqs()).toEqual(upTo(9).map((i) => 6 + i));
  });

  test('is not removed if what stands there now only reads the same', async () => {
    const { outboxes } = redis.open();
    const push = () => outboxes.push(SHARD, ['0 m 1 2 2:room'], 0, { mark: 'unused', isFull: false });
    await push();
    const [page, same] = [await outboxes.read(SHARD), await outboxes.read(SHARD)];
    expect(page && (await outboxes.trim(page))).toBe(0);
    await push();
    expect(same && (await outboxes.trim(same))).toBeUndefined();
    expect(await seqs()).toEqual([1]);
  });

  test('that nobody has read, but whoever wrote it tells of, is removed if it still stands at the beginning', async () => {
    const own = redis.open();
    const { outboxes } = own;
    const { woken } = await store(own, upTo(3));
    const told = toldPage(SHARD, woken.get(SHARD) ?? []);
    await store(own, [4, 5]);
    expect(told?.references).toEqual((await outboxes.read(SHARD))?.references.slice(0, 3));
    expect(told && (await outboxes.trim(told))).toBe(2);
    expect(await seqs()).toEqual([4, 5]);
    expect(told && (await outboxes.trim(told))).toBeUndefined();
    expect(await seqs()).toEqual([4, 5]);
    // Whoever has read the page before somebody else trimmed the told one leaves it alone.
    const read = await outboxes.read(SHARD);
    const begin = await redis.client.lindex(OUTBOX, 0);
    const short = toldPage(SHARD, [begin ?? '']);
    expect(short && (await outboxes.trim(short))).toBe(1);
    expect(read && (await outboxes.trim(read))).toBeUndefined();
    expect(await seqs()).toEqual([5]);
    expect(toldPage(SHARD, [])).toBeUndefined();
  });

  test('of which only the end stands there, or only the beginning, is not removed', async () => {
    const own = redis.open();
    const { woken } = await store(own, upTo(3));
    const [first = '', second = '', third = ''] = woken.get(SHARD) ?? [];
    for (const [what, standing] of [
      ['the end', ['other', second, third]],
      ['the beginning', [first, second]],
      ['another end', [first, second, 'other']],
    ] as const) {
      await redis.client.del(OUTBOX);
      await redis.client.rpush(OUTBOX, ...standing);
      const told = toldPage(SHARD, [first, second, third]);
      expect(told && (await own.outboxes.trim(told)), what).toBeUndefined();
      expect(await redis.client.lrange(OUTBOX, 0, -1), what).toEqual(standing);
    }
  });

  test('is not removed if Redis has forgotten its end, and something else stands there', async () => {
    const { outboxes } = redis.open();
    await store(redis.open(), upTo(3));
    const before = await redis.client.dumpBuffer(OUTBOX);
    await store(redis.open(), [4, 5]);
    const page = await outboxes.read(SHARD);
    await redis.client.restore(OUTBOX, 0, before ?? '', 'REPLACE');
    expect(page && (await outboxes.trim(page))).toBeUndefined();
    await store(redis.open(), [6, 7], { job: 'other' });
    expect(page && (await outboxes.trim(page))).toBeUndefined();
    expect(await seqs()).toHaveLength(5);
  });
});
