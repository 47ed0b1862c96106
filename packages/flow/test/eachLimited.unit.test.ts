import { eachLimited } from '@ruyi/flow';
import { expect, test } from 'vitest';

test('at most so many run at a time, and all are run', async () => {
  let running = 0;
  let most = 0;
  const done: number[] = [];
  await eachLimited([1, 2, 3, 4, 5, 6, 7], 3, async (n) => {
    most = Math.max(most, ++running);
    await Promise.resolve();
    running--;
    done.push(n);
  });
  expect(most).toBe(3);
  expect(done.sort()).toEqual([1, 2, 3, 4, 5, 6, 7]);
});

test('after an error nothing new begins, what runs ends, and the first error is thrown', async () => {
  const ended: number[] = [];
  const work = async (n: number) => {
    if (n === 1) throw new Error('first');
    await new Promise((resolve) => setImmediate(resolve));
    ended.push(n);
  };
  await expect(eachLimited([1, 2, 3, 4], 2, work)).rejects.toThrow('first');
  expect(ended).toEqual([2]);
});
