import { backoffDelay, withBackoff } from '@ruyi/flow';
import { expect, test } from 'vitest';

const range = { firstMs: 1, longestMs: 4 };
const { signal } = new AbortController();

test('pauses double up to the longest, however many failures there are', () => {
  const pauses = [1, 2, 3, 4, 5, 1000].map((failures) => backoffDelay(failures, { firstMs: 20, longestMs: 300 }));
  expect(pauses).toEqual([20, 40, 80, 160, 300, 300]);
});

test('work is repeated until it succeeds; each failure is told with the pause that is due', async () => {
  const told: number[] = [];
  let calls = 0;
  const work = async () => {
    if (++calls <= 4) throw new Error('not yet');
    return calls;
  };
  const waitAfter = (_: unknown, waitMs: number) => {
    told.push(waitMs);
    return waitMs;
  };
  expect(await withBackoff(work, { ...range, signal, waitAfter })).toBe(5);
  expect(told).toEqual([1, 2, 4, 4]);
});

test('an error that no repetition heals is thrown at once', async () => {
  let calls = 0;
  const work = async () => {
    calls++;
    throw new Error('for good');
  };
  await expect(withBackoff(work, { ...range, signal, waitAfter: () => undefined })).rejects.toThrow('for good');
  expect(calls).toBe(1);
});

test('a pause ends when the process stops', async () => {
  const stop = new AbortController();
  const failing = withBackoff(
    async () => {
      throw new Error('not yet');
    },
    { ...range, signal: stop.signal, waitAfter: () => 1_000_000 },
  );
  setImmediate(() => stop.abort(new Error('stopped')));
  await expect(failing).rejects.toThrow();
});
