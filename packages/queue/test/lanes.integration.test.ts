import { type LaneHandler, type LaneKind, laneQueue, openQueue, Producer, SEND } from '@ruyi/queue';
import { keys, laneOf, shardNumber } from '@ruyi/store';
import { waitFor } from '@ruyi/testkit';
import { expect, test } from 'vitest';
import { acceptBatch, jobsOnLanes, LANES, LIMITS, message, names, testLanes } from './harness.ts';

const lanes = testLanes();
const MOST_STANDSTILLS = 3;

/** What ran, as the handlers saw it, and the most jobs of one lane that ran at once. */
function recorder() {
  const ran: { lane: string; id: string; data: unknown }[] = [];
  const busy = new Map<string, number>();
  let most = 0;
  const handler = (kind: LaneKind, lane: number): LaneHandler => {
    const name = `${kind}.${lane}`;
    return async ({ jobId }, { data }) => {
      const now = (busy.get(name) ?? 0) + 1;
      busy.set(name, now);
      most = Math.max(most, now);
      await new Promise((resolve) => setImmediate(resolve));
      ran.push({ lane: name, id: jobId, data });
      busy.set(name, now - 1);
    };
  };
  return { ran, handler, atOnce: () => most };
}

/**
 * Expects that these jobs ran once, in this order. A job at hand while this process stands still for longer than its lock runs
 * again, right behind itself.
 */
function expectOnce(ran: { id: string }[], jobs: { opts: { jobId: string } }[]): void {
  const once = ran.map(({ id }) => id).filter((id, i, all) => id !== all[i - 1]);
  expect(once).toEqual(jobs.map(({ opts }) => opts.jobId));
  expect(ran.length - once.length).toBeLessThanOrEqual(MOST_STANDSTILLS);
}

/** The messages of the send jobs that ran, in that order. */
const idsOf = (ran: { data: unknown }[]): number[] =>
  ran.flatMap(({ data }) => SEND.schema.parse(data).items.map(({ id }) => id));

test('what its guard keeps back is not queued; what would have gone with it is', async () => {
  const { queues, producer } = lanes;
  const keepBack = () => {
    throw new Error('kept back');
  };
  const sends = [1, 2, 3, 4].map((id) => producer.send(message(id), id % 2 === 0 ? keepBack : undefined));
  const outcomes = await Promise.allSettled(sends);
  expect(outcomes.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled', 'rejected']);
  await expect(producer.send(message(5), keepBack)).rejects.toThrow('kept back');
  const plan = await acceptBatch(lanes.store, names(500));
  await expect(producer.broadcast(plan, keepBack)).rejects.toThrow('kept back');
  await expect(producer.groupCommand({ ref: 'x', ch: '2:room' }, keepBack)).rejects.toThrow('kept back');
  expect(await jobsOnLanes(queues)).toBe(1);
  const { ran, handler } = recorder();
  lanes.work(handler);
  await lanes.settled();
  expect(idsOf(ran)).toEqual([1, 3]);
});

test('every job of every lane runs once, those of a lane in the order in which they were added', async () => {
  const { ran, handler, atOnce } = recorder();
  const jobs = Array.from({ length: 200 }, (_, n) => ({ name: 'any', data: { n }, opts: { jobId: `job-${n}.1` } }));
  for (const kind of ['send', 'fanout'] as const) {
    for (let lane = 0; lane < LANES; lane++) await lanes.queues.lane(kind, lane).addBulk(jobs);
  }
  const workers = lanes.work(handler);
  await lanes.settled();
  expect(workers.lanes.sort()).toEqual(['fanout.0', 'fanout.1', 'send.0', 'send.1']);
  for (const lane of workers.lanes) {
    const own = ran.filter((job) => job.lane === lane);
    expectOnce(own, jobs);
  }
  expect(atOnce()).toBe(1);
});

test('two workers that both take a lane for theirs work it one job at a time, in order', async () => {
  const { ran, handler, atOnce } = recorder();
  // Both stand among the processes under one name.
  lanes.work(handler);
  lanes.work(handler);
  const jobs = Array.from({ length: 100 }, (_, n) => ({ name: 'any', data: { n }, opts: { jobId: `job-${n}.1` } }));
  await lanes.queues.lane('send', 0).addBulk(jobs);
  await lanes.settled();
  expectOnce(ran, jobs);
  expect(atOnce()).toBe(1);
});

test('messages that arrive together share jobs, each lane its own', async () => {
  const items = Array.from({ length: 400 }, (_, i) => message(i + 1, { ch: `2:room${i % 10}` }));
  await Promise.all(items.map((item) => lanes.producer.send(item)));
  for (let lane = 0; lane < LANES; lane++) {
    const jobs = await lanes.queues.lane('send', lane).getWaiting();
    const channels = new Set(jobs.flatMap(({ data }) => data.items.map(({ ch }: { ch: string }) => ch)));
    for (const ch of channels) expect(laneOf(shardNumber(ch, LIMITS.shards.count), LANES)).toBe(lane);
    expect(jobs.length).toBeLessThan(10);
    for (const job of jobs) expect(job.id).toMatch(new RegExp(`\\.${job.data.items.length}$`));
  }
  const { ran, handler } = recorder();
  lanes.work(handler);
  await lanes.settled();
  expect(idsOf(ran).sort((a, b) => a - b)).toEqual(items.map(({ id }) => id));
});

test('two API processes never name a job alike, and one names no two of its own alike', async () => {
  const producers = [lanes.producer, new Producer(lanes.queues, LIMITS.shards.count)];
  for (let i = 0; i < 30; i++) {
    for (const [n, producer] of producers.entries()) await producer.send(message(2 * i + n + 1));
  }
  const { ran, handler } = recorder();
  lanes.work(handler);
  await lanes.settled();
  expect(idsOf(ran)).toEqual(Array.from({ length: 60 }, (_, i) => i + 1));
});

test('a job that is added again under its id is one job, before it ran, while it is kept, and with other data', async () => {
  const { ran, handler } = recorder();
  const queue = openQueue(lanes.connect(), laneQueue('send', 0));
  const add = (n: number) => queue.add('any', { n }, { jobId: 'same.1' });
  await Promise.all([1, 1, 1].map(add));
  await add(2);
  lanes.work(handler);
  await waitFor(() => ran.length > 0, { what: 'the job to run' });
  await lanes.settled();
  await add(3);
  await queue.add('any', { n: 4 }, { jobId: 'other.1' });
  await lanes.settled();
  expect(ran.map(({ data }) => data)).toEqual([{ n: 1 }, { n: 4 }]);
  await queue.close();
});

test('completed jobs are kept for the board, but only some', async () => {
  const { handler } = recorder();
  const queue = lanes.queues.lane('send', 0);
  await queue.addBulk(
    Array.from({ length: 100 }, (_, n) => ({ name: 'any', data: { n }, opts: { jobId: `j${n}.1` } })),
  );
  lanes.work(handler);
  await lanes.settled();
  await lanes.rest();
  const kept = await queue.getCompleted();
  expect(kept.map(({ id }) => id)).toContain('j99.1');
  expect(kept.length).toBeLessThanOrEqual(20);
});

test('a worker that closes ends the job at hand and begins no other', async () => {
  const begun: string[] = [];
  const ended: string[] = [];
  let release: () => void = () => {};
  const held = new Promise<void>((resolve) => {
    release = resolve;
  });
  await lanes.queues.lane('send', 0).addBulk(['a', 'b'].map((id) => ({ name: 'any', data: {}, opts: { jobId: id } })));
  lanes.work(() => async ({ jobId }) => {
    begun.push(jobId);
    await held;
    ended.push(jobId);
  });
  await waitFor(() => begun.length === 1, { what: 'the first job to begin' });
  const closed = lanes.rest();
  await waitFor(async () => (await lanes.client.zcard(keys.workers)) === 0, { what: 'the worker to leave' });
  release();
  await closed;
  expect([begun, ended]).toEqual([['a'], ['a']]);
  expect((await lanes.queues.lane('send', 0).getWaiting()).map(({ id }) => id)).toEqual(['b']);
});
