import { ReplicasLateError } from '@ruyi/redis';
import { expect, test } from 'vitest';
import { durably } from '../src/durably.ts';

/** Connections that are lost while the first `lost` confirmations are awaited. */
function connections(lost: number, count = 1) {
  let losses = 7;
  const confirmed: string[][] = [];
  const confirm = async (keys: string[]) => {
    confirmed.push(keys);
    if (confirmed.length <= lost) losses++;
  };
  return { replicas: { count, confirm }, connectionLosses: () => losses, confirmed };
}

async function timesDone(given: ReturnType<typeof connections>): Promise<number> {
  let done = 0;
  await durably(given, ['a', 'b'], async () => void done++);
  return done;
}

test('work is done once if replicas confirm it over one connection', async () => {
  const given = connections(0);
  expect(await timesDone(given)).toBe(1);
  expect(given.confirmed).toEqual([['a', 'b']]);
});

test('work is done again if a connection was lost before replicas confirmed it', async () => {
  expect(await timesDone(connections(2))).toBe(3);
});

test('without REDIS_WAIT nothing is done again', async () => {
  expect(await timesDone(connections(2, 0))).toBe(1);
});

test('replicas that do not confirm are told to the caller', async () => {
  const confirm = () => Promise.reject(new ReplicasLateError('0 of 1'));
  const given = { replicas: { count: 1, confirm }, connectionLosses: () => 0 };
  await expect(durably(given, ['a'], async () => {})).rejects.toThrow(ReplicasLateError);
});
