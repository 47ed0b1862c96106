import { type TestProcess, waitFor } from '@ruyi/testkit';
import { expect, test } from 'vitest';
import { testLanes } from './harness.ts';
import { workerProcesses } from './workerProcesses.ts';

const LANES = 8;
const lanes = testLanes(LANES);
const { start } = workerProcesses(lanes, LANES);

/** Resolves when these processes work all lanes and each has so many of them. */
async function shares(workers: TestProcess[], isFair: (count: number) => boolean): Promise<Map<string, number>> {
  const look = async () => {
    const has = await Promise.all(workers.map(({ pid }) => lanes.client.hget('r:has', String(pid))));
    const own = has.map((names) => (names ?? '').split(',').filter((name) => name !== ''));
    if (!own.every(({ length }) => isFair(length)) || own.flat().length !== 2 * LANES) return undefined;
    return new Map(workers.flatMap(({ pid }, i) => (own[i] ?? []).map((lane) => [lane, pid])));
  };
  return waitFor(look, { what: 'all lanes to be shared' });
}

const moved = (before: Map<string, number>, after: Map<string, number>) =>
  [...before].filter(([lane, pid]) => after.get(lane) !== pid).map(([lane]) => lane);
const ofKind = (owners: Map<string, number>, kind: string, pid: number) =>
  [...owners].filter(([lane, owner]) => lane.startsWith(kind) && owner === pid).length;

test('four workers have two of eight lanes of each kind; a killed one leaves its four to others, a new one gets four', async () => {
  const workers = await start(4);
  const four = await shares(workers, (count) => count === 4);
  for (const { pid } of workers) expect([ofKind(four, 'send', pid), ofKind(four, 'fanout', pid)]).toEqual([2, 2]);
  const [victim, ...rest] = workers;
  await victim?.kill('SIGKILL');
  const three = await shares(rest, (count) => count >= 5);
  expect(moved(four, three).toSorted()).toEqual(
    [...four].flatMap(([lane, pid]) => (pid === victim?.pid ? [lane] : [])).toSorted(),
  );
  const again = await shares([...rest, ...(await start(1))], (count) => count === 4);
  expect(moved(three, again)).toHaveLength(4);
});
