import { seededRandom, startRedis, type TestRedis } from '@ruyi/testkit';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { noteTurn, takeTurns } from '../src/fairTurns.ts';

const LANE = { lane: 0, generation: 0 };
let redis: TestRedis;
beforeAll(async () => {
  redis = await startRedis();
});
beforeEach(() => redis.client.flushall());
afterAll(() => redis.stop());

/** Jobs of several senders, worked in the order of their turns, as BullMQ does: the lowest first, equals as they came. */
class Lane {
  readonly #waiting: { turn: number; at: number; job: string }[] = [];
  #added = 0;
  async add(sender: string, jobs: number): Promise<void> {
    const turns = await takeTurns(redis.client, LANE, sender, jobs);
    turns.forEach((turn) => {
      const at = this.#added++;
      this.#waiting.push({ turn, at, job: sender });
    });
  }
  async work(): Promise<string | undefined> {
    this.#waiting.sort((a, b) => a.turn - b.turn || a.at - b.at);
    const next = this.#waiting.shift();
    if (next) await noteTurn(redis.client, LANE, next.turn);
    return next && `${next.job}.${next.at}`;
  }
  async workAll(): Promise<string[]> {
    const worked: string[] = [];
    for (let job = await this.work(); job !== undefined; job = await this.work()) worked.push(job);
    return worked;
  }
}

test('a small batch waits for one job of each busy sender, not for a whole broadcast', async () => {
  const lane = new Lane();
  await lane.add('large', 500);
  await lane.add('other', 300);
  for (let i = 0; i < 20; i++) await lane.work();
  await lane.add('small', 1);
  const rest = await lane.workAll();
  expect(rest.findIndex((job) => job.startsWith('small'))).toBeLessThanOrEqual(2);
});

test('many small senders do not starve a large one', async () => {
  const lane = new Lane();
  await lane.add('large', 50);
  let large = 0;
  for (let i = 0; i < 100; i++) {
    if (i % 2 === 0) await lane.add(`small${i}`, 1);
    if ((await lane.work())?.startsWith('large')) large++;
  }
  // A new small sender for every second job: each is served, and the large one has the rest.
  expect(large).toBeGreaterThanOrEqual(45);
});

test("whatever is added and worked in whatever order, a sender's jobs keep theirs", async () => {
  const random = seededRandom();
  const lane = new Lane();
  const worked: string[] = [];
  for (let i = 0; i < 400; i++) {
    if (random.next() < 0.5) await lane.add(`s${random.whole(0, 4)}`, random.whole(1, 6));
    else worked.push((await lane.work()) ?? '');
  }
  worked.push(...(await lane.workAll()));
  for (const sender of ['s0', 's1', 's2', 's3', 's4']) {
    const order = worked.filter((job) => job.startsWith(`${sender}.`)).map((job) => Number(job.split('.')[1]));
    expect(order).toEqual(order.toSorted((a, b) => a - b));
  }
});

test('at the last turn there is, jobs go in the order in which they came', async () => {
  await redis.client.hset('{r.fanout.0}:turns', 'now', 2 ** 21 - 2);
  expect(await takeTurns(redis.client, LANE, 'a', 3)).toEqual([2 ** 21 - 1, 2 ** 21, 2 ** 21]);
  expect(await takeTurns(redis.client, LANE, 'a', 2)).toEqual([2 ** 21, 2 ** 21]);
});

test('a job that is started again does not turn the lane back', async () => {
  await noteTurn(redis.client, LANE, 40);
  await noteTurn(redis.client, LANE, 7);
  expect(await takeTurns(redis.client, LANE, 'new', 1)).toEqual([41]);
});

test('senders who have nothing waiting are forgotten', async () => {
  await noteTurn(redis.client, LANE, 3000);
  const fields = Array.from({ length: 1500 }, (_, i) => [`=idle${i}`, 1]).flat();
  await redis.client.hset('{r.fanout.0}:turns', ...fields);
  for (let i = 0; i < 256; i++) await takeTurns(redis.client, LANE, 'busy', 1);
  expect(await redis.client.hlen('{r.fanout.0}:turns')).toBe(2);
});
