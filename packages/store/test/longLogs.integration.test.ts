import { channelName } from '@ruyi/contracts';
import { keys, refOf, shardOf } from '@ruyi/store';
import { expect, test } from 'vitest';
import { jobRun, LIMITS, recipients, testStores, upTo } from './harness.ts';

const redis = testStores();
const channel = channelName(1, 'bob', 'ann');
const log = keys.log(shardOf(channel, LIMITS.shards), channel);
/** As large as message ids are now, and with the position of a recipient of a large batch. */
const FIRST_ID = 3_677_643_406_776_320;
const POSITION = 99_000;

/** What a broadcast to 100,000 adds to one of its recipients' logs. */
async function receive(count: number): Promise<void> {
  const lane = redis.open().appender('fanout.0');
  const to = recipients(['bob'], 'ann', false).map((recipient) => ({ ...recipient, position: POSITION }));
  for (const n of upTo(count)) {
    const ref = refOf(FIRST_ID + n * 204_800_000);
    await lane.appendReferences(jobRun(`job-${n}`), { ref, from: 'ann', command: false }, to);
  }
}

const bytesPerEntry = async (count: number) => {
  expect(await redis.client.zcard(log)).toBe(count);
  return Number(await redis.client.memory('USAGE', log, 'SAMPLES', 0)) / count;
};

test('300 references of broadcasts in one log take at most 45 bytes each', async () => {
  await receive(300);
  expect(await bytesPerEntry(300)).toBeLessThanOrEqual(45);
});

test('so do 500', async () => {
  await receive(500);
  expect(await bytesPerEntry(500)).toBeLessThanOrEqual(45);
});
