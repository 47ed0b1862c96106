import {
  addDeadLetter,
  agreeOnLanes,
  DeadLetters,
  LANE_KINDS,
  limitLanes,
  openDeadLetters,
  openQueues,
} from '@ruyi/queue';
import { keys } from '@ruyi/store';
import { waitFor } from '@ruyi/testkit';
import { expect, test } from 'vitest';
import { LANES, LIMITS, message, testLanes } from './harness.ts';

const lanes = testLanes();

test('every lane is limited to one job at a time, and a second process finds the same', async () => {
  await limitLanes(lanes.queues);
  const queues = openQueues(lanes.connect(), LANES);
  const all = LANE_KINDS.flatMap((kind) => Array.from({ length: LANES }, (_, lane) => queues.lane(kind, lane)));
  expect(await Promise.all(all.map((queue) => queue.getGlobalConcurrency()))).toEqual([1, 1, 1, 1]);
  await queues.close();
});

test('LANES decides for a new installation; without it there are 8', async () => {
  await lanes.client.del(keys.meta);
  expect(await agreeOnLanes(lanes.client, 5)).toEqual({ plan: { generation: 0, lanes: 5 } });
  await lanes.client.del(keys.meta);
  expect(await agreeOnLanes(lanes.client, undefined)).toEqual({ plan: { generation: 0, lanes: 8 } });
});

test('afterwards a process with another LANES adopts the lanes there are, and one line says what to do', async () => {
  for (const count of [1, LANES + 1]) {
    const { plan, warning } = await agreeOnLanes(lanes.client, count);
    expect(plan).toEqual({ generation: 0, lanes: LANES });
    expect(warning).toMatch(new RegExp(`^LANES=${count} is not used: .* ${LANES} lanes[^\\n]*\`ruyi lanes ${count}\``));
  }
  expect(await agreeOnLanes(lanes.client, undefined)).toEqual({ plan: { generation: 0, lanes: LANES } });
});

test('processes that start at once on an empty Redis agree', async () => {
  await lanes.client.del(keys.meta);
  const agreements = await Promise.all([3, 4, 5].map((count) => agreeOnLanes(lanes.client, count)));
  expect(new Set(agreements.map(({ plan }) => plan.lanes)).size).toBe(1);
});

test('a dead letter from a lane that is no more is put back on one that is', async () => {
  const item = message(1);
  const letter = { queue: 'send.7', name: 'send', reason: 'refused', data: { items: [item] } };
  const worker = openDeadLetters(lanes.connect());
  await addDeadLetter(lanes.queues, 'old', letter);
  await waitFor(async () => (await lanes.letters()).length === 1, { what: 'the letter' });
  await new DeadLetters(lanes.queues, LIMITS.shards).retry('dead-old');
  const onLanes = async () => {
    const jobs = await Promise.all([0, 1].map((lane) => lanes.queues.lane('send', lane).getWaiting()));
    return jobs.flat();
  };
  await waitFor(async () => (await onLanes()).length > 0, { what: 'the letter to be put back' });
  const jobs = (await onLanes()).map(({ name, data }) => ({ name, data }));
  const tried = { id: 'dead-old', tries: 2, firstAt: expect.any(Number) };
  expect(jobs).toEqual([{ name: 'send', data: { items: [item], letter: tried } }]);
  await worker.close();
});
