import { expect, test } from 'vitest';
import { type Costs, logBytes, sizeByPayload } from '../src/capacity/costs.ts';
import { type Load, planFor } from '../src/capacity/plan.ts';

const costs: Costs = {
  broadcast: { cpu: { api: 1, worker: 2, redis: 6, indexer: 3 }, aofBytes: 120 },
  single: {
    cpu: { api: 40, worker: 30, redis: 30, indexer: 60 },
    memory: { fixed: 300, perPayloadByte: 1 },
    aof: { fixed: 1000, perPayloadByte: 3 },
  },
  logs: [
    { messages: 1, bytes: 120 },
    { messages: 2, bytes: 140 },
    { messages: 30, bytes: 700 },
  ],
};
const load: Load = {
  recipientsPerHour: 3.6e6,
  messagesPerHour: 0,
  payloadBytes: 0,
  batchRecipients: 10_000,
  messagesPerLog: 1,
  busyHours: 1,
  keptDays: 1,
  masterBytes: 64e9,
};

test('the memory of a log lies on a line between two measured sizes, and goes on beyond the last', () => {
  expect([1, 2, 16, 30, 58].map((messages) => logBytes(costs.logs, messages))).toEqual([120, 140, 420, 700, 1260]);
});

test('two payloads tell what a byte of payload costs', () => {
  expect(sizeByPayload({ payload: 100, bytes: 500 }, { payload: 200, bytes: 800 })).toEqual({
    fixed: 200,
    perPayloadByte: 3,
  });
});

test('a small load needs one of each', () => {
  expect(planFor(costs, load)).toMatchObject({ masters: 1, workers: 1, apis: 1, indexers: 1 });
});

test('masters follow CPU: 1,000,000 recipients a second of 6 µs are six busy cores, used to 60 % and uneven by 15 %', () => {
  const plan = planFor(costs, { ...load, recipientsPerHour: 3.6e9, masterBytes: 1e15 });
  expect(plan).toMatchObject({ masters: 12, limit: 'CPU', workers: 4, apis: 2, indexers: 5 });
});

test('masters follow memory where that is scarcer, and what is kept grows with the days', () => {
  const day = planFor(costs, { ...load, recipientsPerHour: 1e9 });
  const month = planFor(costs, { ...load, recipientsPerHour: 1e9, keptDays: 30 });
  expect(day.memoryGbPerDay).toBeCloseTo(120);
  expect(month.memoryGb).toBeCloseTo(3600);
  // 3,600 GB in masters of 64 GB that are filled to 70 %: 81, and 15 % for the busiest.
  expect(month).toMatchObject({ masters: 94, limit: 'memory' });
});

test('payloads count once per batch and once per single message', () => {
  const withBodies = planFor(costs, { ...load, payloadBytes: 10_000 });
  expect(withBodies.memoryGbPerDay).toBeCloseTo((3.6e6 * 120 + 360 * 10_000) / 1e9);
  const singles = planFor(costs, { ...load, recipientsPerHour: 1, messagesPerHour: 1e6, payloadBytes: 100 });
  expect(singles.memoryGbPerDay).toBeCloseTo(0.4);
  expect(singles.aofGbPerDay).toBeCloseTo(1.3);
});
