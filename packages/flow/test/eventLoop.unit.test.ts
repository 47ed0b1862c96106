import { atOnce, inSlices, inTurn, type Sliced } from '@ruyi/flow';
import { expect, test } from 'vitest';

const MANY = 10_000;

/** Notes each slice; gives the number of slices. */
function* slices(name: string, count: number, note: (slice: string) => void): Sliced<number> {
  for (let i = 0; i < count; i++) {
    note(`${name}${i}`);
    yield;
  }
  return count;
}

test('between any two slices, of whatever computation, whatever else is due gets its turn', async () => {
  const seen: string[] = [];
  let running = true;
  const others = () => {
    seen.push('other');
    if (running) setImmediate(others);
  };
  setImmediate(others);
  const note = (slice: string) => seen.push(slice);
  const parse = inTurn(MANY, () => note('parse'));
  const results = await Promise.all([
    inSlices(MANY, slices('a', 20, note)),
    inSlices(MANY, slices('b', 20, note)),
    parse,
  ]);
  running = false;
  expect(results.slice(0, 2)).toEqual([20, 20]);
  const own = seen.flatMap((slice, i) => (slice === 'other' ? [] : [i]));
  expect(own).toHaveLength(41);
  for (const [i, at] of own.slice(1).entries()) expect(seen.slice((own[i] ?? 0) + 1, at)).toContain('other');
});

test('computations take turns, each one in order, and none waits for all of another', async () => {
  const seen: string[] = [];
  const note = (slice: string) => seen.push(slice);
  await Promise.all([inSlices(MANY, slices('a', 50, note)), inSlices(MANY, slices('b', 3, note))]);
  expect(seen.filter((slice) => slice.startsWith('a'))).toEqual(Array.from({ length: 50 }, (_, i) => `a${i}`));
  expect(seen.indexOf('b2')).toBeLessThan(8);
});

test('what goes wrong in a slice is the caller’s, and the next computation runs', async () => {
  const broken = function* (): Sliced<void> {
    yield;
    throw new Error('broken');
  };
  await expect(inSlices(MANY, broken())).rejects.toThrow('broken');
  await expect(
    inSlices(
      MANY,
      slices('a', 2, () => {}),
    ),
  ).resolves.toBe(2);
  expect(atOnce(slices('a', 3, () => {}))).toBe(3);
});

test('few items do not wait for the slices of many', async () => {
  const seen: string[] = [];
  const note = (slice: string) => seen.push(slice);
  const many = inSlices(MANY, slices('many', 20, note));
  await inTurn(10, () => note('few'));
  await inSlices(10, slices('few', 3, note));
  expect(seen.slice(0, 4)).toEqual(['few', 'few0', 'few1', 'few2']);
  await many;
});
