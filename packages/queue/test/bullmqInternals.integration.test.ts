import { laneQueue, openQueue } from '@ruyi/queue';
import { waitFor } from '@ruyi/testkit';
import { type Job, Worker } from 'bullmq';
import { expect, test } from 'vitest';
import {
  beforeCompletion,
  clearFinished,
  closeToAdds,
  failedIds,
  failedJobs,
  isClosedToAdds,
  lastProgressAt,
  oldestAddedAt,
  queueKeys,
  rawData,
  replaceRawData,
  unfinishedJobs,
  waitingJobs,
} from '../src/bullmqInternals.ts';
import { METRICS } from '../src/names.ts';
import { testLanes } from './harness.ts';

const lanes = testLanes();
const { name, prefix } = laneQueue('send', 0);
const lane = () => lanes.queues.lane('send', 0);

/** Works jobs until the test is over. */
async function working(
  process: (job: Job) => Promise<unknown>,
  use: (worker: Worker) => Promise<unknown>,
): Promise<void> {
  const worker = new Worker(name, process, { connection: lanes.connect(), prefix, concurrency: 1 });
  worker.on('error', () => {});
  try {
    await use(worker);
  } finally {
    await worker.close(true);
  }
}

const add = (id: string, priority?: number) =>
  lane().add('any', { id }, { jobId: id, ...(priority === undefined ? {} : { priority }) });

test('a job without a turn waits in the list `wait`, one with a turn in the sorted set `prioritized`', async () => {
  for (const id of ['a.1', 'b.1', 'c.1']) await add(id);
  for (const [i, id] of ['x.1', 'y.1'].entries()) await add(id, 10 - i);
  expect((await lanes.client.lrange(lane().toKey('wait'), 0, -1)).sort()).toEqual(['a.1', 'b.1', 'c.1']);
  expect(await lanes.client.zrange(lane().toKey('prioritized'), '0', '-1')).toEqual(['y.1', 'x.1']);
  const { count, ids } = await waitingJobs(lanes.client, lane(), 10);
  expect(count).toBe(5);
  expect([...new Set(ids)].sort()).toEqual(['a.1', 'b.1', 'c.1', 'x.1', 'y.1']);
  expect((await waitingJobs(lanes.client, lane(), 1)).ids).toHaveLength(4);
});

test('a job that is being worked stands in the list `active`, and no more once it is completed', async () => {
  let end = () => {};
  const held = new Promise<void>((resolve) => {
    end = resolve;
  });
  await add('a.1');
  await working(
    () => held,
    async () => {
      await waitFor(async () => (await lanes.client.llen(lane().toKey('active'))) === 1, { what: 'the job to begin' });
      expect((await waitingJobs(lanes.client, lane(), 10)).count).toBe(0);
      expect(await unfinishedJobs(lanes.client, lane())).toBe(1);
      end();
      await waitFor(async () => (await unfinishedJobs(lanes.client, lane())) === 0, { what: 'the job to end' });
    },
  );
});

test('a job lies in a hash of its id; `data` holds its data as JSON, and what is put there is what a worker gets', async () => {
  await add('a.1');
  expect(JSON.parse((await rawData(lanes.client, lane(), 'a.1')) ?? '')).toEqual({ id: 'a.1' });
  expect(await rawData(lanes.client, lane(), 'nobody.1')).toBeNull();
  await replaceRawData(lanes.client, lane(), 'a.1', '{"id":"other"}');
  const seen: unknown[] = [];
  await working(
    async (job) => seen.push(job.data),
    () => waitFor(() => seen.length === 1, { what: 'the job to run' }),
  );
  expect(seen).toEqual([{ id: 'other' }]);
});

test('data that is no JSON never reaches a processor, and its job stays', async () => {
  await add('a.1');
  await replaceRawData(lanes.client, lane(), 'a.1', '{"id":');
  let ran = 0;
  await working(
    async () => ran++,
    async (worker) => {
      await new Promise((resolve) => worker.once('error', resolve));
    },
  );
  expect(ran).toBe(0);
  expect(await lane().getJobCountByTypes('failed', 'completed')).toBe(0);
  expect(await unfinishedJobs(lanes.client, lane())).toBe(1);
});

test('completing a job goes through its own moveToCompleted, after the processor', async () => {
  await add('a.1');
  const events: string[] = [];
  await working(
    async (job) => {
      let isNoted = false;
      const note = async () => {
        events.push(`before completion, ${await job.getState()}`);
        isNoted = true;
      };
      beforeCompletion(job, lanes.client, () => (isNoted ? undefined : note()));
      events.push('processed');
    },
    async (worker) => {
      worker.on('completed', () => events.push('completed'));
      await waitFor(() => events.includes('completed'), { what: 'the job to be completed' });
    },
  );
  expect(events).toEqual(['processed', 'before completion, active', 'completed']);
});

test('extending the lock of a job returns 1 while it is held, and no 1 once it is lost', async () => {
  await add('a.1');
  const answers: unknown[] = [];
  await working(
    async (job) => {
      answers.push(await job.extendLock(job.token ?? '', 5000));
      await lanes.client.del(`${lane().toKey('a.1')}:lock`);
      answers.push(await job.extendLock(job.token ?? '', 5000).catch(() => 'refused'));
    },
    () => waitFor(() => answers.length === 2, { what: 'both answers' }),
  );
  expect(answers[0]).toBe(1);
  expect(answers[1]).not.toBe(1);
});

test('an id that is on the queue already stays one job', async () => {
  await Promise.all([add('a.1'), add('a.1')]);
  expect(await openQueue(lanes.connect(), { name, prefix }).count()).toBe(1);
});

test('a closed queue takes no job, with or without a turn, one or many, and writes nothing; those on it are worked', async () => {
  await add('a.1');
  await add('b.1', 5);
  await closeToAdds(lanes.client, lane());
  const before = await lanes.client.keys(`${prefix}*`);
  const bulk = (priority?: number) =>
    lane().addBulk([
      { name: 'any', data: {}, opts: { jobId: 'z.1', ...(priority === undefined ? {} : { priority }) } },
    ]);
  for (const refused of [() => add('c.1'), () => add('d.1', 3), () => bulk(), () => bulk(3), () => add('a.1')]) {
    expect(isClosedToAdds(await refused().catch((error: unknown) => error))).toBe(true);
  }
  expect((await lanes.client.keys(`${prefix}*`)).toSorted()).toEqual(before.toSorted());
  const ran: string[] = [];
  await working(
    async (job) => ran.push(String(job.id)),
    () => waitFor(async () => (await unfinishedJobs(lanes.client, lane())) === 0, { what: 'both jobs to end' }),
  );
  expect(ran.toSorted()).toEqual(['a.1', 'b.1']);
  await clearFinished(lanes.client, lane());
  expect(await lane().getJobCountByTypes('completed')).toBe(0);
  expect(isClosedToAdds(await add('e.1').catch((error: unknown) => error))).toBe(true);
});

test('a job of a closed queue that stalls is started again', async () => {
  await add('a.1');
  await closeToAdds(lanes.client, lane());
  const options = { connection: lanes.connect(), prefix, lockDuration: 200, stalledInterval: 100, maxStalledCount: 5 };
  const dying = new Worker(name, undefined, options);
  await dying.getNextJob('dead', { block: false });
  await dying.close(true);
  const ran: string[] = [];
  const worker = new Worker(name, async (job) => ran.push(String(job.id)), options);
  await waitFor(() => ran.length === 1, { what: 'the job to run' });
  await worker.close();
});

test('a job keeps the time at which it was added', async () => {
  expect(await oldestAddedAt(lanes.client, lane(), [])).toBeUndefined();
  const from = Date.now();
  await add('a.1');
  await add('b.1', 3);
  const oldest = (await oldestAddedAt(lanes.client, lane(), ['b.1', 'a.1', 'gone.1'])) ?? 0;
  expect(oldest).toBeGreaterThanOrEqual(from);
  expect(oldest).toBe((await lane().getJob('a.1'))?.timestamp);
});

test('a queue that is not opened has the same keys', () => {
  const keys = queueKeys({ name, prefix });
  for (const key of ['wait', 'a.1']) expect(keys.toKey(key)).toBe(lane().toKey(key));
});

test('the last progress is the beginning of the job that runs, or the last completion; failed jobs are counted', async () => {
  expect(await lastProgressAt(lanes.client, lane())).toBeUndefined();
  await add('a.1');
  expect(await lastProgressAt(lanes.client, lane())).toBeUndefined();
  let end = () => {};
  const held = new Promise<void>((resolve) => {
    end = resolve;
  });
  const process = async (job: Job) => {
    if (job.id === 'b.1') throw new Error('no');
    await held;
  };
  await working(process, async () => {
    const begun = await waitFor(() => lastProgressAt(lanes.client, lane()), { what: 'the job to begin' });
    expect(begun).toBe((await lane().getJob('a.1'))?.processedOn);
    end();
    await waitFor(async () => (await unfinishedJobs(lanes.client, lane())) === 0, { what: 'the job to end' });
    expect(await lastProgressAt(lanes.client, lane())).toBe((await lane().getJob('a.1'))?.finishedOn);
    expect(await failedJobs(lanes.client, lane())).toBe(0);
    await add('b.1');
    await waitFor(async () => (await failedJobs(lanes.client, lane())) === 1, { what: 'the job to fail' });
  });
});

test('failed jobs stand by the time of their failure, and fields that others put into a job go with it', async () => {
  const ids = Array.from({ length: 12 }, (_, i) => `f${i}.1`);
  for (const id of ids) await add(id);
  const process = () => Promise.reject(new Error('no'));
  await working(process, () =>
    waitFor(async () => (await failedJobs(lanes.client, lane())) === 12, { what: 'the jobs to fail' }),
  );
  // Some of them in the same millisecond.
  for (const id of ids.slice(3, 9)) await lanes.client.zadd(lane().toKey('failed'), 5, id);
  const seen: string[] = [];
  let after: { id: string; failedAt: number } | undefined;
  do {
    const page = await failedIds(lanes.client, lane(), 2, after);
    seen.push(...page.map(({ id }) => id));
    after = page.at(-1);
  } while (after);
  expect(seen).toEqual(await lanes.client.zrevrange(lane().toKey('failed'), 0, -1));
  await lanes.client.hset(lane().toKey('f1.1'), 'summary', 'ours');
  await lane().remove('f1.1');
  expect(await lanes.client.exists(lane().toKey('f1.1'))).toBe(0);
});

test('with metrics BullMQ counts what ends, and a queue that is cleared keeps none of that', async () => {
  await add('a.1');
  const options = { connection: lanes.connect(), prefix, metrics: METRICS };
  const worker = new Worker(name, async () => {}, options);
  await waitFor(async () => (await lane().getMetrics('completed')).meta.count === 1, { what: 'the job to be counted' });
  await worker.close();
  const kept = () => lanes.client.keys(`${lane().toKey('metrics:')}*`);
  expect(await kept()).not.toEqual([]);
  await clearFinished(lanes.client, lane());
  expect(await kept()).toEqual([]);
});
