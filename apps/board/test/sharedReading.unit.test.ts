import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { SharedReading } from '../src/live/sharedReading.ts';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

function counting() {
  let reads = 0;
  const errors: unknown[] = [];
  const reading = new SharedReading(
    async () => ++reads,
    (error) => errors.push(error),
  );
  return { reading, errors, reads: () => reads };
}

test('twenty who listen cost what one costs, a reading a second, and all are told the same', async () => {
  const { reading, reads } = counting();
  const told = Array.from({ length: 20 }, () => [] as number[]);
  const stops = told.map((values) => reading.listen((value) => values.push(value)));
  await vi.advanceTimersByTimeAsync(4500);
  expect(reads()).toBe(5);
  for (const values of told) expect(values).toEqual([1, 2, 3, 4, 5]);
  for (const stop of stops) stop();
});

test('nothing is read while nobody listens, and the next one is told nothing old', async () => {
  const { reading, reads } = counting();
  const first: number[] = [];
  const stop = reading.listen((value) => first.push(value));
  await vi.advanceTimersByTimeAsync(1500);
  stop();
  await vi.advanceTimersByTimeAsync(60_000);
  expect(reads()).toBe(2);
  const later: number[] = [];
  const end = reading.listen((value) => later.push(value));
  expect(later).toEqual([]);
  await vi.advanceTimersByTimeAsync(500);
  expect([first, later]).toEqual([[1, 2], [3]]);
  end();
});

test('who comes while others listen is told the latest at once, and a change is read at once', async () => {
  const { reading } = counting();
  const stop = reading.listen(() => {});
  await vi.advanceTimersByTimeAsync(500);
  const late: number[] = [];
  const end = reading.listen((value) => late.push(value));
  expect(late).toEqual([1]);
  await reading.refresh();
  expect(late).toEqual([1, 2]);
  stop();
  end();
});

test('a reading that fails is noted, and the next one is told', async () => {
  const errors: unknown[] = [];
  let isBroken = true;
  const reading = new SharedReading(
    async () => {
      if (isBroken) throw new Error('away');
      return 'back';
    },
    (error) => errors.push(error),
  );
  const told: string[] = [];
  const stop = reading.listen((value) => told.push(value));
  await vi.advanceTimersByTimeAsync(500);
  isBroken = false;
  await vi.advanceTimersByTimeAsync(1000);
  expect([errors.length, told]).toEqual([1, ['back']]);
  stop();
});
