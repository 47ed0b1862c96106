import { type BatchReceipt, Bodies, keys } from '@ruyi/store';
import { expect, test } from 'vitest';
import { base64, batch, now, testStores } from './harness.ts';

const redis = testStores();
const plan = (total: number, overrides: Partial<BatchReceipt> = {}): BatchReceipt => ({
  total,
  toStore: true,
  createdAt: 1000,
  firstAt: 0,
  refused: { fail_uids: ['a@b'], reason: ['用户ID不合法'] },
  ...overrides,
});
const failed = (...positions: number[]) =>
  positions.map((position) => ({ position, uid: `u${position}`, reason: 'why' }));
const chunks = (...sizes: number[]) => sizes.map((size, chunk) => ({ chunk, size }));

test('progress is exact from queued to done', async () => {
  const { progress } = redis.open();
  await progress.open('b1', plan(2500));
  expect(await progress.read('b1')).toEqual({
    batch_no: 'b1',
    total: 2500,
    stored: 0,
    failed: 0,
    indexed: 0,
    state: 'queued',
    created_at: 1000,
    finished_at: 0,
  });
  const [one, two, three] = chunks(1000, 1000, 500);
  if (!one || !two || !three) throw new Error('three chunks');
  await progress.chunksStored('b1', [one, two], failed(7, 1500));
  expect(await progress.read('b1')).toMatchObject({ stored: 1998, failed: 2, state: 'running', finished_at: 0 });
  await progress.chunksStored('b1', [three], []);
  await progress.chunksIndexed('b1', [three, one]);
  const done = await progress.read('b1');
  expect(done).toMatchObject({ stored: 2498, failed: 2, indexed: 1500, state: 'done' });
  expect(done?.finished_at).toBeGreaterThanOrEqual(now() - 60);
});

test('a replay of any step changes nothing', async () => {
  const { progress } = redis.open();
  await progress.open('b1', plan(1500));
  for (let i = 0; i < 3; i++) {
    await progress.chunksStored('b1', chunks(1000), failed(3));
    await progress.chunksIndexed('b1', chunks(1000));
    expect(await progress.read('b1')).toMatchObject({ stored: 999, failed: 1, indexed: 999, state: 'running' });
  }
});

test('recipients that are served after all are failed no more', async () => {
  const { progress } = redis.open();
  await progress.open('b1', plan(10));
  await progress.chunksStored('b1', chunks(10), failed(0, 4, 9));
  await progress.recovered('b1', [4, 9]);
  await progress.recovered('b1', [4, 9]);
  await progress.recovered('b1', []);
  expect(await progress.read('b1')).toMatchObject({ stored: 9, failed: 1, state: 'done' });
});

test('a batch that failed for everyone has failed, and is done when one is served', async () => {
  const { progress } = redis.open();
  await progress.open('b1', plan(2));
  await progress.chunksStored('b1', chunks(2), failed(0, 1));
  expect(await progress.read('b1')).toMatchObject({ stored: 0, failed: 2, state: 'failed' });
  await progress.recovered('b1', [1]);
  expect(await progress.read('b1')).toMatchObject({ stored: 1, failed: 1, state: 'done' });
});

test('what is stored nowhere is done at once', async () => {
  const { progress } = redis.open();
  await progress.open('b1', plan(5, { toStore: false }));
  expect(await progress.read('b1')).toMatchObject({ stored: 0, total: 5, state: 'done', finished_at: 1000 });
});

test('the first receipt counts', async () => {
  const { progress } = redis.open();
  const first = await progress.open('b1', plan(5));
  expect(await progress.open('b1', plan(6, { createdAt: 2000 }))).toEqual(first);
  expect(first).toEqual(plan(5));
});

test('stored chunks are known for as long as a client may repeat the batch, and progress for a week', async () => {
  const { progress } = redis.open({ idempotencyTtl: 30 * 86_400 });
  await progress.chunksStored('b1', chunks(5, 6), []);
  expect(await progress.stored('b1', [0, 1, 2])).toEqual(new Set([0, 1]));
  expect(await redis.client.ttl(keys.progress('b1'))).toBeGreaterThan(30 * 86_400);
  await redis.open({ idempotencyTtl: 1 }).progress.open('b2', plan(1));
  expect(await redis.client.ttl(keys.progress('b2'))).toBeGreaterThan(7 * 86_400 - 60);
});

test('an unknown batch has no progress', async () => {
  expect(await redis.open().progress.read('nope')).toBeUndefined();
});

test('a body that nobody confirms goes after an hour; confirmed it stays, or goes with the message', async () => {
  const { bodies } = redis.open();
  await bodies.write('b1', batch(1), 3);
  expect(await redis.client.ttl(keys.body('b1'))).toBeGreaterThan(3500);
  expect(await redis.client.ttl(keys.body('b1'))).toBeLessThanOrEqual(3600);
  await bodies.confirm('b1', batch(1).body);
  expect(await redis.client.ttl(keys.body('b1'))).toBe(-1);

  const expiring = batch(2, { ts: now(), exp: 500 });
  await bodies.write('b2', expiring, 3);
  await bodies.confirm('b2', expiring.body);
  expect(await redis.client.expiretime(keys.body('b2'))).toBe(expiring.body.ts + 500 + 86_400);
});

test('a retry neither changes a body nor limits its life', async () => {
  const { bodies } = redis.open();
  await bodies.write('1', batch(1, { payload: base64('first') }), 3);
  await bodies.confirm('1', batch(1).body);
  await bodies.write('1', batch(1, { payload: base64('second') }), 4);
  expect(await redis.client.ttl(keys.body('1'))).toBe(-1);
  expect((await redis.open().bodies.read(['1'])).get('1')?.body.payload).toBe(base64('first'));
  expect(await redis.client.hget(keys.body('1'), 'n')).toBe('3');
});

test('a body is read as it was written, each recipient with an id of its own, a group with one', async () => {
  const { bodies } = redis.open();
  const first = 2 ** 53 - 100;
  const ref = first.toString(36);
  const written = {
    ...batch(first, { red: 1, set: 3, exp: 9, topic: 't', stream: 's', ts: now() }, true),
    starts: [0, 7],
  };
  await bodies.write(ref, written, 9);
  const read = (await redis.open().bodies.read([ref, 'missing'])).get(ref);
  expect(read).toEqual(written);
  expect(Bodies.bodyAt(written, 99)).toEqual({ ...written.body, id: first + 99 });
  expect(Bodies.bodyAt({ ...written, kind: 'group' }, 99)).toEqual(written.body);
});

test('a removed body is gone with its bitmap', async () => {
  const { bodies } = redis.open();
  await bodies.write('b1', batch(1), 3);
  await bodies.markGone([{ ref: 'b1', position: 2 }]);
  await bodies.remove('b1');
  expect(await redis.client.keys('*')).toEqual([]);
});

test('how many entries refer to a body that is gone is noted nowhere', async () => {
  const { bodies } = redis.open();
  await bodies.setTotal('b1', 3);
  expect(await redis.client.exists(keys.body('b1'))).toBe(0);
  await bodies.write('b1', batch(1), 5);
  await bodies.setTotal('b1', 3);
  expect(await redis.client.hget(keys.body('b1'), 'n')).toBe('3');
});
