import {
  addDeadLetter,
  type DeadJob,
  LANE_KINDS,
  openDeadLetters,
  openQueues,
  prepareLanes,
  type Queues,
} from '@ruyi/queue';
import { InstallationError, keys } from '@ruyi/store';
import { waitFor } from '@ruyi/testkit';
import { expect, test } from 'vitest';
import { acceptBatch, LANES, message, names, testLanes } from './harness.ts';

const lanes = testLanes();

/** The queues as a process with so many lanes opens them; closed after use. */
async function withLanes<T>(count: number, use: (queues: Queues) => Promise<T>): Promise<T> {
  const queues = openQueues(lanes.connect(), count);
  try {
    return await use(queues);
  } finally {
    await queues.close();
  }
}

const prepare = (count: number) => withLanes(count, (queues) => prepareLanes(lanes.client, queues));
const agreed = async () => Number(await lanes.client.hget(keys.meta, 'lanes'));

/** How many jobs of each lane may be worked at once. */
const limits = (count: number) =>
  withLanes(count, (queues) =>
    Promise.all(
      LANE_KINDS.flatMap((kind) =>
        Array.from({ length: count }, (_, lane) => queues.lane(kind, lane).getGlobalConcurrency()),
      ),
    ),
  );

test('every lane is limited to one job at a time, and a second process finds the same', async () => {
  expect(await agreed()).toBe(LANES);
  await prepare(LANES);
  expect(await limits(LANES)).toEqual([1, 1, 1, 1]);
});

test('another number is taken while no lane holds a job, more as well as fewer, and its lanes are limited too', async () => {
  for (const count of [5, 1, LANES]) {
    await prepare(count);
    expect(await agreed()).toBe(count);
    expect(await limits(count)).toEqual(Array.from({ length: 2 * count }, () => 1));
  }
});

test.each<[string, (queues: Queues) => Promise<unknown>]>([
  ['a message', () => lanes.producer.send(message(1))],
  ['a message on the last lane', (queues) => queues.lane('send', LANES - 1).add('any', {})],
  ['a batch', async () => lanes.producer.broadcast(await acceptBatch(lanes.store, ['ann']))],
  ['a group command', () => lanes.producer.groupCommand({ ref: 'r', ch: '2:room' })],
  ['a job that is put back', (queues) => queues.lane('fanout', 1).add('any', {})],
])('while %s waits another number is refused in one line that says what to do', async (_, add) => {
  await add(lanes.queues);
  for (const count of [1, LANES + 1]) {
    const refusal = await prepare(count).catch((error: unknown) => error);
    expect(refusal).toBeInstanceOf(InstallationError);
    expect(String(refusal)).toMatch(new RegExp(`LANES=${count}: .* ${LANES} lanes[^\\n]*$`));
  }
  expect(await agreed()).toBe(LANES);
  await prepare(LANES);
});

test('while a job is being worked another number is refused; once it is done it is taken', async () => {
  let release: () => void = () => {};
  const held = new Promise<void>((resolve) => {
    release = resolve;
  });
  await lanes.queues.lane('send', 1).add('any', {}, { jobId: 'held.1' });
  lanes.work(() => () => held);
  await waitFor(async () => (await lanes.queues.lane('send', 1).getActiveCount()) === 1, { what: 'the job to begin' });
  await expect(prepare(4)).rejects.toThrow(InstallationError);
  release();
  await lanes.settled();
  await prepare(4);
  expect(await agreed()).toBe(4);
});

test('processes that start at once on an empty Redis do not refuse each other', async () => {
  await lanes.client.del(keys.meta);
  await Promise.all([prepare(3), prepare(3), prepare(3)]);
  expect(await agreed()).toBe(3);
});

test('completed jobs and dead letters do not stand in the way', async () => {
  await lanes.producer.broadcast(await acceptBatch(lanes.store, names(10)));
  lanes.work();
  await addDeadLetter(lanes.queues.dead, 'fly', { queue: 'send.0', name: 'fly', reason: 'no handler' });
  await lanes.settled();
  await waitFor(async () => (await lanes.letters()).length === 1, { what: 'the letter' });
  await prepare(7);
  expect(await agreed()).toBe(7);
});

test('a dead letter from a lane that is no more is put back on one that is', async () => {
  const item = message(1);
  const letter: DeadJob = { queue: 'send.7', name: 'send', reason: 'refused', data: { items: [item] } };
  const worker = openDeadLetters(lanes.connect(), LANES);
  await addDeadLetter(lanes.queues.dead, 'old', letter);
  await waitFor(async () => (await lanes.letters()).length === 1, { what: 'the letter' });
  await (await lanes.queues.dead.getJob('dead-old'))?.retry('failed');
  const onLanes = async () => {
    const jobs = await Promise.all([0, 1].map((lane) => lanes.queues.lane('send', lane).getWaiting()));
    return jobs.flat();
  };
  await waitFor(async () => (await onLanes()).length > 0, { what: 'the letter to be put back' });
  const jobs = (await onLanes()).map(({ name, data }) => ({ name, data }));
  expect(jobs).toEqual([{ name: 'send', data: { items: [item] } }]);
  expect(await lanes.letters()).toEqual([]);
  await worker.close();
});
