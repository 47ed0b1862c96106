import { groupOf, IndexWaker, openIndexWorker, releaseWakeUps, shardsOfGroup, wakeIndexer } from '@ruyi/queue';
import { waitFor } from '@ruyi/testkit';
import { expect, test } from 'vitest';
import { LIMITS, testLanes } from './harness.ts';

const lanes = testLanes();

/** An index worker whose drains wait until they are let go. */
function worker() {
  const drained: number[] = [];
  const waiting: (() => void)[] = [];
  const { close } = openIndexWorker({
    queues: lanes.queues,
    store: { connectionLosses: () => 0 },
    handle: async () => {},
    drain: async (group) => {
      drained.push(group);
      await new Promise<void>((resolve) => waiting.push(resolve));
    },
    signal: new AbortController().signal,
    log: { warn() {} },
  });
  return { drained, waiting, close };
}

const jobs = () => lanes.queues.index.getJobCounts('wait', 'active');

test('wake-ups of a group are one as long as it waits, and those of another group are not', async () => {
  for (let i = 0; i < 5; i++) await wakeIndexer(lanes.queues, 1);
  await wakeIndexer(lanes.queues, 2);
  expect(await jobs()).toMatchObject({ wait: 2 });
});

test('a wake-up that comes while another one is worked follows it, never beside it, however many come', async () => {
  await wakeIndexer(lanes.queues, 3);
  const { drained, waiting, close } = worker();
  await waitFor(() => drained.length === 1, { what: 'the first to be worked' });
  for (let i = 0; i < 5; i++) await wakeIndexer(lanes.queues, 3);
  expect(await jobs()).toMatchObject({ wait: 0, active: 1 });
  waiting[0]?.();
  await waitFor(() => drained.length === 2, { what: 'the second to be worked' });
  waiting[1]?.();
  await waitFor(async () => (await jobs()).active === 0, { what: 'both to be completed' });
  expect(drained).toEqual([3, 3]);
  await wakeIndexer(lanes.queues, 3);
  await waitFor(() => drained.length === 3, { what: 'a later one to be worked' });
  waiting[2]?.();
  await close();
});

test('one that a dead indexer seems to work holds up nobody who starts', async () => {
  await wakeIndexer(lanes.queues, 5);
  const dead = worker();
  await waitFor(() => dead.drained.length === 1, { what: 'the first to be worked' });
  await wakeIndexer(lanes.queues, 5);
  expect(await jobs()).toMatchObject({ wait: 0, active: 1 });
  await releaseWakeUps(lanes.queues);
  await wakeIndexer(lanes.queues, 5);
  await waitFor(() => dead.drained.length === 2, { what: 'another one to be worked beside it' });
  // What was kept for the first one follows it, and nothing is stuck.
  dead.waiting[0]?.();
  await waitFor(() => dead.drained.length === 3, { what: 'the one that was kept' });
  dead.waiting[1]?.();
  dead.waiting[2]?.();
  await waitFor(async () => (await jobs()).active === 0, { what: 'all to be completed' });
  await wakeIndexer(lanes.queues, 5);
  await waitFor(() => dead.drained.length === 4, { what: 'a later one' });
  dead.waiting[3]?.();
  await dead.close();
});

test('a wake-up whose job is lost keeps no later one away', async () => {
  await wakeIndexer(lanes.queues, 4);
  const { index } = lanes.queues;
  const [id = ''] = await lanes.client.lrange(index.toKey('wait'), 0, -1);
  await lanes.client.del(index.toKey('wait'), index.toKey(id));
  await wakeIndexer(lanes.queues, 4);
  expect(await jobs()).toMatchObject({ wait: 1 });
});

test('a waker sends one wake-up per group at a time, and one more for what comes meanwhile', async () => {
  const waker = new IndexWaker(lanes.queues, LIMITS.shards);
  const all = new Map(LIMITS.shards.tags.map((shard): [string, string[]] => [shard, [`of ${shard}`]]));
  for (let i = 0; i < 50; i++) waker.wake(all);
  await waker.close();
  expect(await jobs()).toMatchObject({ wait: LIMITS.shards.count });
  // An add that was deduplicated still counts up.
  expect(Number(await lanes.client.get(lanes.queues.index.toKey('id')))).toBe(2 * LIMITS.shards.count);
});

test('a wake-up tells what was written, if it is known', async () => {
  const waker = new IndexWaker(lanes.queues, LIMITS.shards);
  const [one = '', other = ''] = LIMITS.shards.tags;
  waker.wake(
    new Map([
      [one, ['a', 'b']],
      [other, []],
    ]),
  );
  await waker.close();
  const told = (await lanes.queues.index.getWaiting()).map(({ data }) => data);
  expect(told).toEqual(
    expect.arrayContaining([{ group: 0, pages: [{ shard: one, references: ['a', 'b'] }] }, { group: 1 }]),
  );
  const pages: unknown[] = [];
  const { close } = openIndexWorker({
    queues: lanes.queues,
    store: { connectionLosses: () => 0 },
    handle: async () => {},
    drain: async (_group, _losses, given) => void pages.push(given),
    signal: new AbortController().signal,
    log: { warn() {} },
  });
  await waitFor(() => pages.length === 2, { what: 'both to be worked' });
  expect(pages).toEqual(expect.arrayContaining([[{ shard: one, references: ['a', 'b'] }], []]));
  await close();
});

test('every shard has a group, and no two groups share one', () => {
  const groups = new Set(LIMITS.shards.tags.map((_, number) => groupOf(number)));
  const shards = [...groups].flatMap((group) => shardsOfGroup(LIMITS.shards, group));
  expect(shards.toSorted()).toEqual([...LIMITS.shards.tags].sort());
});
