import { type BroadcastRecord, chunkRecipients, cutShard, refOf } from '@ruyi/store';
import { seededRandom } from '@ruyi/testkit';
import { expect, test } from 'vitest';
import { type NextRecipients, ShardCursors } from '../src/broadcasts/shardCursors.ts';
import { LIMITS, testLanes } from './harness.ts';

const lanes = testLanes();
const SHARDS = LIMITS.shards.count;
const SHARDS_IN_JOB = 32;

test('every recipient is handed out once, at their position, in jobs that are neither too large nor too small', async () => {
  const random = seededRandom();
  for (let round = 0; round < 100; round++) {
    const no = refOf(2 ** 50 + round);
    const most = random.whole(1, 40);
    const rate = random.pick([0, 0, 100]);
    const counts = Array.from({ length: SHARDS }, () => random.pick([0, 1, random.whole(0, 30), random.whole(0, 200)]));
    const uids = counts.map((count, shard) => Array.from({ length: count }, (_, i) => `${shard}-${i}`));
    for (const [shard, list] of uids.entries()) {
      if (list.length > 0) await lanes.store.recipientLists.append(shard, no, `${list.join('\n')}\n`);
    }
    await lanes.store.broadcasts.setCounts(no, new Map(counts.entries()));
    const record = { no, spec: { rate }, chunk: most } as BroadcastRecord;

    const jobs: NextRecipients[][] = [];
    let cursors = await ShardCursors.of(lanes.store, record);
    for (let misses = 0; !cursors.isDone && misses < 100; misses++) {
      const odd = random.whole(0, 1);
      const job = await cursors.next((shard) => shard % 2 === odd);
      if (job.length === 0) continue;
      misses = 0;
      jobs.push(job);
      cursors.advance(job);
      if (random.next() < 0.1) cursors = await takenOver(record, jobs);
    }

    const starts = startsOf(counts, most);
    const flat = uids.flat();
    const handedOut = jobs.flat().flatMap(({ chunk, start, size, uids: some }) => {
      const chunks = Array.from({ length: Math.ceil(some.length / size) }, (_, i) => i);
      expect(chunks.map((i) => start + i * size)).toEqual(chunks.map((i) => starts[chunk + i]));
      return chunkRecipients({ chunk, start, uids: some.join('\n') });
    });
    expect(handedOut.toSorted((a, b) => a.position - b.position)).toEqual(
      flat.map((uid, position) => ({ uid, position })),
    );
    const largest = (rate > 0 ? 1 : 2) * most;
    const sizes = jobs.map((job) => job.reduce((sum, { count }) => sum + count, 0));
    expect(Math.max(0, ...sizes)).toBeLessThanOrEqual(largest);
    expect(Math.max(0, ...jobs.map((job) => job.length))).toBeLessThanOrEqual(SHARDS_IN_JOB);
    if (rate > 0) continue;
    // All but the last one of a lane.
    for (const lane of [0, 1]) {
      const ofLane = sizes.filter((_, i) => (jobs[i]?.[0]?.shard ?? 0) % 2 === lane);
      expect(Math.min(largest, ...ofLane.slice(0, -1))).toBeGreaterThanOrEqual(most);
    }
  }
});

/** Where each chunk begins: no chunk has recipients of two shards. */
function startsOf(counts: number[], most: number): number[] {
  const starts: number[] = [];
  let first = 0;
  for (const count of counts) {
    const { size } = cutShard(count, most);
    for (let start = 0; start < count; start += size) starts.push(first + start);
    first += count;
  }
  return starts;
}

/** The cursors as another coordinator finds them. */
async function takenOver(record: BroadcastRecord, jobs: NextRecipients[][]): Promise<ShardCursors> {
  const cursors = await ShardCursors.of(lanes.store, record);
  for (const job of jobs) cursors.advance(job);
  return cursors;
}
