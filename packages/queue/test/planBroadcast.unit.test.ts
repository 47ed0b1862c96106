import { channelName } from '@ruyi/contracts';
import { planBroadcast, recipientsInJob } from '@ruyi/queue';
import { chunkRecipients, laneOf, shardNumber } from '@ruyi/store';
import fc from 'fast-check';
import { expect, test } from 'vitest';

const LAYOUT = { shards: 64, lanes: 4 };
const names = (count: number) => Array.from({ length: count }, (_, i) => `u${i}`);
const uids = fc.oneof(
  fc.uniqueArray(fc.string({ minLength: 1, maxLength: 8, unit: 'grapheme' }), { minLength: 1, maxLength: 60 }),
  fc.integer({ min: 1, max: 4000 }).map(names),
);
const layouts = fc.record({ shards: fc.constantFrom(1, 3, 64), lanes: fc.constantFrom(1, 4, 7) });

test('every recipient is planned once, at a position of its own, on the lane of its shard, in chunks of at most 1,000', () => {
  fc.assert(
    fc.property(uids, layouts, fc.boolean(), (to, layout, cmd) => {
      const plan = planBroadcast({ firstId: 2 ** 52, from: 'ann', cmd }, to, layout);
      const placed = plan.jobs.flatMap(({ lane, data }) =>
        data.chunks.flatMap((chunk) => chunkRecipients(chunk).map((recipient) => ({ ...recipient, lane }))),
      );
      expect(placed.map(({ uid }) => uid).sort()).toEqual([...to].sort());
      expect(placed.map(({ position }) => position)).toEqual(to.map((_, i) => i));
      expect(placed[plan.firstAt]?.uid).toBe(to[0]);
      let before = { lane: -1, shard: -1, uid: '' };
      for (const { uid, lane } of placed) {
        const shard = shardNumber(cmd ? uid : channelName(1, uid, 'ann'), layout.shards);
        if (lane !== laneOf(shard, layout.lanes)) expect.fail(`${uid} is on lane ${lane}`);
        // Sorted by lane, shard and uid, so that the calls of a job are as few as can be.
        const sorted =
          lane !== before.lane ? lane > before.lane : shard !== before.shard ? shard > before.shard : uid > before.uid;
        if (!sorted) expect.fail(`${uid} comes after ${before.uid}`);
        before = { lane, shard, uid };
      }
    }),
    { numRuns: 40 },
  );
});

test('jobs are bounded, their ids unique, and end in the number of recipients', () => {
  const plan = planBroadcast({ firstId: 2 ** 52, from: 'ann', cmd: false }, names(100_000), LAYOUT);
  expect(new Set(plan.jobs.map(({ id }) => id)).size).toBe(plan.jobs.length);
  const chunks = plan.jobs.flatMap(({ data }) => data.chunks);
  expect(chunks.map(({ chunk }) => chunk)).toEqual(chunks.map((_, i) => i));
  expect(chunks.map(({ start }) => start)).toEqual(plan.starts);
  for (const { id, data } of plan.jobs) {
    const sizes = data.chunks.map((chunk) => chunkRecipients(chunk).length);
    expect(sizes.length).toBeLessThanOrEqual(2);
    expect(Math.max(...sizes)).toBeLessThanOrEqual(1000);
    expect(recipientsInJob(id)).toBe(sizes.reduce((sum, n) => sum + n, 0));
    expect(data.ref).toBe(plan.ref);
  }
});

test('the same recipients in another order give the same jobs', () => {
  const to = names(5000);
  const message = { firstId: 123_456, from: 'ann', cmd: true };
  const plan = planBroadcast(message, to, LAYOUT);
  const reversed = planBroadcast(message, to.toReversed(), LAYOUT);
  expect(reversed.jobs).toEqual(plan.jobs);
  expect(reversed.starts).toEqual(plan.starts);
  expect(planBroadcast(message, to, LAYOUT)).toEqual(plan);
});

test('nobody to send to is no job', () => {
  const plan = planBroadcast({ firstId: 1, from: 'ann', cmd: false }, [], LAYOUT);
  expect([plan.jobs, plan.starts]).toEqual([[], []]);
});

test.each([
  ['abc.1.0.2000', 2000],
  ['f00.17.512', 512],
  ['i-x.0.3.7', 7],
  ['dead-x', 1],
  ['', 1],
])('job %s counts as %i recipients', (id, recipients) => {
  expect(recipientsInJob(id)).toBe(recipients);
});
