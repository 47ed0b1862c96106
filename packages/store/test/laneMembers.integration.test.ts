import { keys, LaneMembers, type LanesOfKind } from '@ruyi/store';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { testStores } from './harness.ts';

const redis = testStores();
/** Longer than any test takes. */
const SILENT_MS = 3_600_000;
const kindsOf = (send: number, fanout = send): LanesOfKind[] => [
  { kind: 'send', generation: 0, lanes: send },
  { kind: 'fanout', generation: 0, lanes: fanout },
];

/** Workers that take turns in saying that they live. A killed one is made to look as if it was silent for too long. */
class Workers {
  readonly #members = new LaneMembers(redis.client);
  readonly living: string[] = [];
  readonly #kinds: LanesOfKind[];
  constructor(kinds: LanesOfKind[]) {
    this.#kinds = kinds;
  }
  async join(name: string): Promise<void> {
    this.living.push(name);
    await this.round();
  }
  async kill(name: string): Promise<void> {
    this.living.splice(this.living.indexOf(name), 1);
    await redis.client.zadd(keys.workers, Date.now() - SILENT_MS - 1000, name);
    await this.round();
  }
  async stop(name: string): Promise<void> {
    this.living.splice(this.living.indexOf(name), 1);
    await this.#members.leave(name);
    await this.round();
  }
  /** Every worker looks at its share. @returns the lanes of each, by kind */
  async round(): Promise<Map<string, number[][]>> {
    const shares = new Map<string, number[][]>();
    for (const name of this.living) await this.#members.share(name, SILENT_MS, this.#kinds);
    for (const name of this.living) shares.set(name, await this.#members.share(name, SILENT_MS, this.#kinds));
    return shares;
  }
  /** The owner of each lane of each kind. */
  async owners(): Promise<string[][]> {
    const shares = await this.round();
    return this.#kinds.map(({ lanes }, kind) =>
      Array.from({ length: lanes }, (_, lane) => {
        const own = [...shares].flatMap(([name, lists]) => (lists[kind]?.includes(lane) ? [name] : []));
        expect(own).toHaveLength(1);
        return own[0] ?? '';
      }),
    );
  }
}

const moved = (before: string[][], after: string[][]) =>
  before.flatMap((owners, kind) => owners.filter((owner, lane) => owner !== after[kind]?.[lane])).length;
const sizes = (owners: string[], workers: string[]) =>
  workers.map((name) => owners.filter((owner) => owner === name).length);

test('four workers have two lanes of eight of each kind; at a death and at a join no more than four lanes move', async () => {
  const workers = new Workers(kindsOf(8));
  for (const name of ['a', 'b', 'c', 'd']) await workers.join(name);
  const four = await workers.owners();
  for (const owners of four) expect(sizes(owners, workers.living)).toEqual([2, 2, 2, 2]);
  await workers.kill('b');
  const three = await workers.owners();
  expect(moved(four, three)).toBe(4);
  expect(sizes(three.flat(), workers.living).toSorted()).toEqual([5, 5, 6]);
  await workers.join('e');
  const again = await workers.owners();
  expect(moved(three, again)).toBe(4);
  for (const owners of again) expect(sizes(owners, workers.living)).toEqual([2, 2, 2, 2]);
});

test('more workers than lanes of a kind: some work only one kind, and none has nothing while there are lanes for it', async () => {
  const workers = new Workers(kindsOf(2));
  for (const name of ['a', 'b', 'c', 'd']) await workers.join(name);
  expect(sizes((await workers.owners()).flat(), workers.living)).toEqual([1, 1, 1, 1]);
});

test('lanes of another generation are shared on their own', async () => {
  const members = new LaneMembers(redis.client);
  expect(await members.share('a', SILENT_MS, kindsOf(2))).toEqual([
    [1, 0],
    [1, 0],
  ]);
  const next = { kind: 'send', generation: 1, lanes: 4 };
  expect((await members.share('b', SILENT_MS, [next]))[0]).toHaveLength(2);
  expect((await members.owners({ kind: 'send', generation: 0, lanes: 2 })).get(0)).toBe('a');
});

test('whoever comes and goes: the shares differ by one at most, of each kind and of all, and no lane moves without need', async () => {
  const event = fc.record({ what: fc.constantFrom('join', 'kill', 'stop'), who: fc.nat() });
  const run = async (send: number, fanout: number, events: { what: string; who: number }[]) => {
    await redis.client.flushall();
    const workers = new Workers(kindsOf(send, fanout));
    await workers.join('w0');
    let next = 1;
    for (const { what, who } of events) {
      const before = await workers.owners();
      const victim = workers.living[who % workers.living.length] ?? '';
      if (what !== 'join' && workers.living.length === 1) continue;
      if (what === 'join') await workers.join(`w${next++}`);
      else await (what === 'kill' ? workers.kill(victim) : workers.stop(victim));
      const after = await workers.owners();
      for (const [kind, owners] of after.entries()) {
        const counts = sizes(owners, workers.living);
        expect(Math.max(...counts) - Math.min(...counts)).toBeLessThanOrEqual(1);
        if (what !== 'join') expect(moved([before[kind] ?? []], [owners])).toBe(sizes(before[kind] ?? [], [victim])[0]);
      }
      const counts = sizes(after.flat(), workers.living);
      expect(Math.max(...counts) - Math.min(...counts)).toBeLessThanOrEqual(1);
      if (what === 'join') expect(moved(before, after)).toBe(counts.at(-1));
    }
  };
  const lanes = fc.integer({ min: 1, max: 20 });
  await fc.assert(fc.asyncProperty(lanes, lanes, fc.array(event, { maxLength: 12 }), run), { numRuns: 40 });
});
