import { every } from '@ruyi/flow';
import { expect, test } from 'vitest';

const noError = (error: unknown) => {
  throw error;
};

test('work is repeated, one call at a time, until it is stopped; stopping waits for the call that runs', async () => {
  let calls = 0;
  let running = 0;
  let third = () => {};
  const reached = new Promise<void>((resolve) => {
    third = resolve;
  });
  const stop = every(
    1,
    async () => {
      expect(++running).toBe(1);
      await new Promise((resolve) => setImmediate(resolve));
      running--;
      if (++calls === 3) third();
    },
    noError,
  );
  await reached;
  await stop();
  expect(running).toBe(0);
  const ended = calls;
  await new Promise((resolve) => setTimeout(resolve, 5));
  expect(calls).toBe(ended);
});

test('each failure is told, and how many there were in a row; work goes on', async () => {
  const told: [string, number][] = [];
  const outcomes = ['a', 'b', undefined, 'c'];
  let end = () => {};
  const ended = new Promise<void>((resolve) => {
    end = resolve;
  });
  const stop = every(
    1,
    async () => {
      if (outcomes.length === 0) return end();
      const failure = outcomes.shift();
      if (failure !== undefined) throw new Error(failure);
    },
    (error, inARow) => told.push([String(error), inARow]),
  );
  await ended;
  await stop();
  expect(told).toEqual([
    ['Error: a', 1],
    ['Error: b', 2],
    ['Error: c', 1],
  ]);
});
