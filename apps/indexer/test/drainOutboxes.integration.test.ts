import { groupOf, INDEX } from '@ruyi/queue';
import { keys, markText, Outboxes, shardOf } from '@ruyi/store';
import { waitFor } from '@ruyi/testkit';
import { describe, expect, test, vi } from 'vitest';
import { drainGroup } from '../src/drainOutboxes.ts';
import { type Around, testDraining } from './drainHarness.ts';
import { found, LIMITS } from './harness.ts';

const { redis, ends, engine, storeWorld, storeIn, drainer, toldOf, finds, expectAllIndexed } = testDraining();

describe('everything in the outboxes is indexed once, and then trimmed', () => {
  test.each([
    ['before', false],
    ['after', false],
    ['before', true],
    ['after', true],
  ] as const)('wherever an indexer dies: %s a call, its wake-up tells what was written: %s', async (when, isTold) => {
    let steps = 0;
    for (let hasDied = true; hasDied; steps++) {
      await redis.redis.client.flushall();
      const store = redis.open();
      const world = await storeWorld(store);
      const told = isTold ? await toldOf(store) : [];
      const death = new AbortController();
      let calls = 0;
      const dying: Around = async (call) => {
        death.signal.throwIfAborted();
        if (++calls <= steps) return call();
        if (when === 'after') await call();
        death.abort();
        throw new Error('died');
      };
      hasDied = await drainer(dying, death.signal)
        .drain(() => 0, told)
        .then(
          () => false,
          () => true,
        );
      expect(hasDied).toBe(calls > steps);
      // Another one is woken in the same way.
      await drainer().drain(() => 0, told);
      await expectAllIndexed(store, world, `died ${when} call ${steps + 1}`);
    }
    expect(steps).toBeGreaterThan(6);
  });

  test('what a wake-up tells is indexed without a look before, whether it still waits or not', async () => {
    const store = redis.open();
    const world = await storeWorld(store);
    const told = await toldOf(store);
    const { context, drain } = drainer();
    const order: string[] = [];
    const { read } = Outboxes.prototype;
    const looks = vi.spyOn(Outboxes.prototype, 'read').mockImplementation(async function (this: Outboxes, shard) {
      order.push(`look at ${shard}`);
      return read.call(this, shard);
    });
    ends.push(() => looks.mockRestore());
    const { index } = context;
    context.index = async (job, id) => {
      for (const { ch } of job.logs ?? []) order.push(`index ${shardOf(ch, LIMITS.shards)}`);
      await index(job, id);
    };
    await drain(() => 0, told);
    for (const { shard } of told) {
      const at = order.indexOf(`index ${shard}`);
      expect(at, shard).toBeGreaterThanOrEqual(0);
      expect(order.slice(0, at), shard).not.toContain(`look at ${shard}`);
    }
    await expectAllIndexed(store, world);
    await storeIn(store, world.rooms, 1);
    await drain(() => 0, told);
    expect(await finds(world)).toEqual([12, 13, 13, 13]);
    expect(await store.outboxes.reading()).toMatchObject({ references: 0 });
  });

  test('also if two indexers are at it, of which one was frozen while messages came and went', async () => {
    const store = redis.open();
    const world = await storeWorld(store);
    let wake = () => {};
    const awake = new Promise<void>((resolve) => {
      wake = resolve;
    });
    let frozen = 0;
    const zombie = drainer();
    const index = zombie.context.index;
    zombie.context.index = async (...args) => {
      frozen++;
      await awake;
      return index(...args);
    };
    const groups = LIMITS.shards.tags.map((_, number) => groupOf(number));
    const late = Promise.all(groups.map((group) => drainGroup(zombie.context, group, () => 0)));
    await waitFor(() => frozen >= 2, { what: 'the zombie to have read' });
    await drainer().drain();
    await expectAllIndexed(store, world);
    await storeIn(store, world.rooms, 3);
    wake();
    await late;
    await drainer().drain();
    expect(await finds(world)).toEqual([18, 19, 19, 19]);
    expect((await store.outboxes.reading()).references).toBe(0);
  });

  test('also what Redis forgot while it was indexed is noted again, before it is trimmed', async () => {
    const store = redis.open();
    const world = await storeWorld(store);
    const { context, drain } = drainer();
    const index = context.index;
    const progress = keys.progress(world.ref);
    const before = await redis.redis.client.hgetall(progress);
    let losses = 0;
    let hasForgotten = false;
    context.index = async (job, id) => {
      await index(job, id);
      if (!job.broadcast || hasForgotten) return;
      hasForgotten = true;
      expect((await store.progress.read(world.ref))?.indexed).toBeGreaterThan(0);
      await redis.redis.client.multi().del(progress).hset(progress, before).exec();
      losses++;
    };
    await drain(() => losses);
    expect(losses).toBe(1);
    await expectAllIndexed(store, world);
  });
});

test('while the engine is away nothing is trimmed, and everything is found afterwards', async () => {
  const store = redis.open();
  let isAway = true;
  let comeBack = () => {};
  const back = new Promise<void>((resolve) => {
    comeBack = resolve;
  });
  const { context } = drainer();
  const { index } = context;
  context.index = async (...args) => {
    if (isAway) await back;
    return index(...args);
  };
  await storeIn(store, ['2:away'], 100);
  const group = groupOf(LIMITS.shards.tags.indexOf(shardOf('2:away', LIMITS.shards)));
  const draining = drainGroup(context, group, () => 0);
  await storeIn(store, ['2:away'], 200);
  expect((await store.outboxes.reading()).references).toBe(300);
  isAway = false;
  comeBack();
  while (await draining.then(() => drainGroup(context, group, () => 0))) {}
  expect((await store.outboxes.reading()).references).toBe(0);
  expect(await found(engine(), 'x', { limit: 1000 }, ['2:away'])).toHaveLength(300);
});

test('an index that misses something is rebuilt: a mark whose worker died, and a damaged reference', async () => {
  const store = redis.open();
  const shard = shardOf('2:room', LIMITS.shards);
  await store.outboxes.push(shard, ['unused'], 0, { mark: markText(Date.now(), 'a job'), isFull: true });
  await drainer().drain();
  expect((await store.rebuilds.requested())?.reason).toBe('too much waited to be indexed');
  await redis.redis.client.del(keys.rebuild);
  await redis.redis.client.rpush(keys.outbox(shard), 'garbage');
  await drainer().drain();
  expect((await store.rebuilds.requested())?.reason).toBe('an outbox was damaged');
  expect((await store.outboxes.reading()).references).toBe(0);
});

test('what cannot be indexed for an unforeseen reason holds up nothing: it becomes a job', async () => {
  const store = redis.open();
  const world = await storeWorld(store);
  const { context, drain } = drainer();
  const index = context.index;
  context.index = async (job, id) => {
    if (job.logs?.some(({ ch }) => ch === world.rooms[0])) throw new TypeError('a defect');
    await index(job, id);
  };
  await drain();
  expect((await store.outboxes.reading()).references).toBe(0);
  const queued = await context.queues.index.getWaiting();
  expect(queued.map(({ name }) => name)).toContain(INDEX.name);
  for (const { data } of queued) await index(INDEX.schema.parse(data), 'job');
  await expectAllIndexed(store, world);
});

test('messages of the trimmed part of a log are no documents, and their references go', async () => {
  const store = redis.open({ logRetention: 3 });
  await storeIn(store, ['2:trimmed'], 10);
  await drainer().drain();
  expect(await found(engine(), 'x', {}, ['2:trimmed'])).toHaveLength(3);
  expect((await store.outboxes.reading()).references).toBe(0);
});
