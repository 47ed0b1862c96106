import {
  addDeadLetter,
  agreeOnLanes,
  type DeadJob,
  LANE_KINDS,
  limitLanes,
  openDeadLetters,
  openQueues,
  type Queues,
} from '@ruyi/queue';
import { keys, type Member, newMember } from '@ruyi/store';
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

const member = (name: string, count: number): Member => ({ ...newMember('worker', count, name) });

/** What a process with this setting works with, beside these others. */
const adopted = async (count: number, others: Member[] = []) => {
  const agreement = await agreeOnLanes(lanes.client, count, async () => [member('self', count), ...others]);
  await withLanes(agreement.lanes, limitLanes);
  return agreement;
};
const prepare = async (count: number) => (await adopted(count)).lanes;
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
])(
  'while %s waits a process with another setting adopts the lanes there are, and one line says what to do',
  async (_, add) => {
    await add(lanes.queues);
    for (const count of [1, LANES + 1]) {
      const { lanes: present, warning } = await adopted(count);
      expect(present).toBe(LANES);
      expect(warning).toMatch(new RegExp(`^LANES=${count} is not used: .* ${LANES} lanes[^\\n]*LANES=${count}$`));
    }
    expect(await agreed()).toBe(LANES);
  },
);

test('beside a process with another number of lanes its number counts, whatever waits or not', async () => {
  const { lanes: present, warning } = await adopted(16, [member('worker-1', LANES)]);
  expect([present, await agreed()]).toEqual([LANES, LANES]);
  expect(warning).toMatch(/LANES=16 is not used: .*worker-1 run with it/);
});

test('a process that was killed is waited for: its number counts no more once it is gone', async () => {
  let looks = 0;
  const members = async () => (++looks < 3 ? [member('killed', LANES)] : []);
  expect(await agreeOnLanes(lanes.client, 5, members)).toEqual({ lanes: 5 });
});

test('while a job is being worked another number is not taken; once it is done it is', async () => {
  let release: () => void = () => {};
  const held = new Promise<void>((resolve) => {
    release = resolve;
  });
  await lanes.queues.lane('send', 1).add('any', {}, { jobId: 'held.1' });
  lanes.work(() => () => held);
  await waitFor(async () => (await lanes.queues.lane('send', 1).getActiveCount()) === 1, { what: 'the job to begin' });
  expect(await prepare(4)).toBe(LANES);
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
