import { packPositions, unpackPositions } from '@ruyi/store';
import fc from 'fast-check';
import { expect, test } from 'vitest';

const SEED = 20_260_601;
const upTo = (n: number) => Array.from({ length: n }, (_, i) => i);

test('positions come back as they were, whichever they are', () => {
  const positions = fc
    .uniqueArray(fc.integer({ min: 0, max: 99_999 }), { maxLength: 500 })
    .map((all) => all.sort((a, b) => a - b));
  fc.assert(
    fc.property(positions, (all) => {
      expect(unpackPositions(packPositions(all))).toEqual(all);
    }),
    { seed: SEED, numRuns: 300 },
  );
  for (const all of [[], [0], [999_999], upTo(100_000)]) expect(unpackPositions(packPositions(all))).toEqual(all);
});

test('of 100,000 take at most 17 KB, however many they are and wherever', () => {
  const picks = [
    upTo(100_000),
    [99_999],
    ...[2, 3, 7, 100].map((n) => upTo(100_000).filter((at) => at % n === 0)),
    // Nothing repeats, so nothing is saved.
    upTo(100_000).filter((at) => Math.imul(at + 1, 0x9e3779b1) >>> 31 === 1),
    upTo(100_000).filter((at) => (Math.imul(at ^ (at >>> 7), 0x85ebca6b) >>> 13) % 2 === 0),
  ];
  for (const all of picks) expect(packPositions(all).length).toBeLessThan(17_000);
});

test('a text that is none is refused', () => {
  expect(() => unpackPositions('none')).toThrow();
});
