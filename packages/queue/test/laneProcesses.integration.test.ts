import { seededRandom, type TestProcess, waitFor } from '@ruyi/testkit';
import { expect, test } from 'vitest';
import { jobsOnLanes, testLanes } from './harness.ts';
import { workerProcesses } from './workerProcesses.ts';

const LANES = 3;
const KINDS = ['send', 'fanout'] as const;
const ALL = KINDS.flatMap((kind) => Array.from({ length: LANES }, (_, lane) => `${kind}.${lane}`));

const lanes = testLanes(LANES);
const { start, living } = workerProcesses(lanes, LANES);

let added = 0;
/** Adds jobs to every lane, in an order of their numbers. */
async function add(count: number, data: object = {}): Promise<void> {
  const numbers = Array.from({ length: count }, () => ++added);
  for (const kind of KINDS) {
    for (let lane = 0; lane < LANES; lane++) {
      // Jobs of a fanout lane have turns.
      const turn = (n: number) => (kind === 'fanout' ? { priority: n } : {});
      const jobs = numbers.map((n) => ({ name: 'any', data, opts: { jobId: `job-${n}.1`, ...turn(n) } }));
      await lanes.queues.lane(kind, lane).addBulk(jobs);
    }
  }
}

/** What began and ended on a lane, in Redis' order. */
async function notes(lane: string): Promise<{ what: string; n: number; pid: number }[]> {
  const lines = await lanes.client.lrange(`r:ran:${lane}`, 0, -1);
  return lines.map((line) => {
    const [, what = '', n, pid] = /^(\w+) job-(\d+)\.1 (\d+)$/.exec(line) ?? [];
    return { what, n: Number(n), pid: Number(pid) };
  });
}

const endedAll = async (count: number) =>
  (await Promise.all(ALL.map(notes))).every((lane) => lane.filter(({ what }) => what === 'end').length >= count);
const ends = (lane: Awaited<ReturnType<typeof notes>>) => lane.flatMap(({ what, n }) => (what === 'end' ? [n] : []));
const rising = (from: number, count: number) => Array.from({ length: count }, (_, i) => from + i);

/** Resolves when each lane belongs to one of these processes, to each as many as to any other. */
async function areShared(workers: TestProcess[]): Promise<Map<string, number>> {
  return waitFor(
    async () => {
      const has = await Promise.all(workers.map(({ pid }) => lanes.client.hget('r:has', String(pid))));
      const shares = has.map((names) => (names ?? '').split(',').filter((name) => name !== ''));
      const isEven = shares.every(({ length }) => length === ALL.length / workers.length);
      if (!isEven || new Set(shares.flat()).size < ALL.length) return undefined;
      return new Map(workers.flatMap(({ pid }, i) => (shares[i] ?? []).map((lane) => [lane, pid])));
    },
    { what: 'the lanes to be shared out' },
  );
}

/** The process in which each lane's newest job began. */
async function workedBy(): Promise<Map<string, number>> {
  const all = await Promise.all(ALL.map(notes));
  return new Map(ALL.map((lane, i) => [lane, all[i]?.at(-1)?.pid ?? 0]));
}

test('several processes share the lanes evenly, and a lane is worked by one, a job at a time', async () => {
  const owners = await areShared(await start(3));
  const first = added + 1;
  await add(40);
  await waitFor(() => endedAll(40), { what: 'all jobs', deadlineMs: 30_000 });
  for (const lane of ALL) {
    const noted = await notes(lane);
    expect(new Set(noted.map(({ pid }) => pid))).toEqual(new Set([owners.get(lane)]));
    // begin, end, begin, end: each job once, and none begins before the one ahead of it has ended.
    const expected = rising(first, 40).flatMap((n) => [`begin ${n}`, `end ${n}`]);
    expect(noted.map(({ what, n }) => `${what} ${n}`)).toEqual(expected);
  }
});

test('the lanes of a killed process go on elsewhere, each from the job that was at hand', async () => {
  const [one, other] = await start(2);
  if (!one || !other) return expect.fail('two were started');
  const owners = await areShared([one, other]);
  const first = added + 1;
  await add(1, { hold: true });
  await add(20);
  await waitFor(async () => [...(await workedBy()).values()].every((pid) => pid > 0), { what: 'the jobs to begin' });
  await one.kill('SIGKILL');
  await lanes.client.set('r:go', '1');
  await waitFor(() => endedAll(21), { what: 'all jobs', deadlineMs: 30_000 });
  for (const lane of ALL) {
    const noted = await notes(lane);
    expect(ends(noted)).toEqual(rising(first, 21));
    expect(noted.every(({ what, pid }) => what === 'begin' || pid === other.pid)).toBe(true);
    // The job that was at hand began twice where its process was killed, and only that one.
    const begun = noted.flatMap(({ what, n }) => (what === 'begin' ? [n] : []));
    expect(begun).toEqual(owners.get(lane) === one.pid ? [first, ...rising(first, 21)] : rising(first, 21));
  }
  // A job notes its end before its queue does.
  await waitFor(async () => (await jobsOnLanes(lanes.queues)) === 0, { what: 'the lanes to be empty' });
});

test('a process that was frozen finds its jobs in other hands, and goes on with the next', async () => {
  const [frozen] = await start(1);
  if (!frozen) return expect.fail('one was started');
  await areShared([frozen]);
  const first = added + 1;
  await add(1, { hold: true });
  await waitFor(async () => [...(await workedBy()).values()].every((pid) => pid > 0), { what: 'the jobs to begin' });
  await frozen.kill('SIGSTOP');
  const [other] = await start(1);
  await waitFor(async () => [...(await workedBy()).values()].every((pid) => pid === other?.pid), {
    what: 'the other to begin every job',
    deadlineMs: 30_000,
  });
  await frozen.kill('SIGCONT');
  await lanes.client.set('r:go', '1');
  await add(5);
  await waitFor(() => endedAll(6), { what: 'all jobs', deadlineMs: 30_000 });
  for (const lane of ALL) {
    const noted = await notes(lane);
    expect(ends(noted)).toEqual(rising(first, 6));
    expect(noted.find(({ what, n }) => what === 'end' && n === first)?.pid).toBe(other?.pid);
  }
});

test('processes that come, stop and are killed at random leave no job out and keep the order', async () => {
  const random = seededRandom();
  const first = added + 1;
  await add(100);
  await start(2);
  for (let round = 0; round < 3; round++) {
    const newcomer = start(1);
    const before = (await notes('send.0')).length;
    await waitFor(async () => (await notes('send.0')).length >= Math.min(before + 20, 200), {
      what: 'some progress',
      deadlineMs: 30_000,
    });
    const [victim] = living();
    await victim?.kill(random.pick(['SIGKILL', 'SIGTERM']));
    await newcomer;
  }
  await waitFor(() => endedAll(100), { what: 'all jobs', deadlineMs: 40_000 });
  for (const lane of ALL) {
    // One that is killed between its own note and the queue's makes a job end again, right behind itself.
    const inOrder = ends(await notes(lane)).filter((n, i, all) => n !== all[i - 1]);
    expect(inOrder).toEqual(rising(first, 100));
  }
});
