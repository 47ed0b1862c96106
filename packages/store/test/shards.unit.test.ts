import { channelName } from '@ruyi/contracts';
import { laneOf, recipientShard, shardNumber } from '@ruyi/store';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { names } from './harness.ts';

// Fixed for ever: every stored key depends on them.
test.each([
  ['', 11, 923],
  ['a', 51, 715],
  ['u1', 23, 7],
  ['u2', 48, 336],
  ['user-12345', 52, 524],
  ['____system', 43, 131],
  ['2:room', 24, 224],
  ['1:ann@bob', 20, 676],
  ['成员', 48, 384],
  ['😀', 38, 206],
  ['xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx', 51, 747],
])('%j is in shard %i of 64 and %i of 1,000', (name, of64, of1000) => {
  expect([shardNumber(name, 64), shardNumber(name, 1000)]).toEqual([of64, of1000]);
});

test.each(['u', 'user-', '2:group', '1:ann@u', '成员'])(
  'names that differ in a number (%s…) spread evenly',
  (prefix) => {
    const counts = new Array<number>(64).fill(0);
    for (const name of names(64_000, prefix)) counts[shardNumber(name, 64)] = (counts[shardNumber(name, 64)] ?? 0) + 1;
    // 1,000 each; the deviation of an even throw is 31.
    expect(Math.min(...counts)).toBeGreaterThan(840);
    expect(Math.max(...counts)).toBeLessThan(1160);
  },
);

test('every lane gets an even share of the shards', () => {
  const lanes = Array.from({ length: 64 }, (_, shard) => laneOf(shard, 4));
  for (const lane of [0, 1, 2, 3]) expect(lanes.filter((l) => l === lane)).toHaveLength(16);
});

test('the shard of a personal channel is the same by its users and by its name', () => {
  const uid = fc.oneof(
    fc.string({ maxLength: 8 }),
    fc.string({ unit: 'grapheme', maxLength: 8 }),
    fc.constant('____system'),
  );
  fc.assert(
    fc.property(uid, uid, fc.constantFrom(1, 7, 64), (self, peer, shards) => {
      expect(recipientShard({ from: self, command: false }, shards)(peer)).toBe(
        shardNumber(channelName(1, peer, self), shards),
      );
    }),
  );
});
