import { connect, RedisClock } from '@ruyi/redis';
import { expectNoLeaks, startRedis, type TestRedis, waitFor } from '@ruyi/testkit';
import { afterAll, beforeAll, expect, test } from 'vitest';

const NOW = 1_700_000_000;

let redis: TestRedis;
let connection: ReturnType<typeof connect>;
/** the local monotonic clock, in milliseconds; it stands still until a test moves it */
let local = 0;
/** what the server is asked, and what its clock says (seconds) */
let asked = 0;
let server = NOW;

beforeAll(async () => {
  redis = await startRedis();
  connection = connect(redis.url, 'request', 'test');
  connection.on('error', () => {});
});

afterAll(async () => {
  connection.disconnect();
  await redis.stop();
  expectNoLeaks();
});

/** A clock over a server whose TIME the test decides; each answer takes as long as `trip` says. */
function clockOver(trip = 0): RedisClock {
  asked = 0;
  local = 5000;
  server = NOW;
  const client = new Proxy(connection, {
    get(target, property) {
      if (property !== 'time') return Reflect.get(target, property);
      return async () => {
        asked++;
        local += trip;
        return [String(Math.floor(server)), String(Math.round((server % 1) * 1e6))];
      };
    },
  });
  return new RedisClock(client, () => local);
}

test('it tells the time of a real Redis', async () => {
  const before = Number((await redis.client.time())[0]);
  const seconds = await new RedisClock(connection).seconds();
  const after = Number((await redis.client.time())[0]);
  expect(seconds).toBeGreaterThanOrEqual(before);
  expect(seconds).toBeLessThanOrEqual(after + 1);
});

test('within a second any number of questions cost one round trip', async () => {
  const clock = clockOver();
  const answers = await Promise.all(Array.from({ length: 100 }, () => clock.seconds()));
  local += 999;
  answers.push(await clock.seconds());
  expect(new Set(answers)).toEqual(new Set([NOW]));
  expect(asked).toBe(1);
});

test('half of the round trip counts as the way back', async () => {
  const clock = clockOver(1000);
  server = NOW + 0.6;
  expect(await clock.seconds()).toBe(NOW + 1);
});

test('the local monotonic clock carries it on, and it is measured again in the background', async () => {
  const clock = clockOver();
  await clock.seconds();
  local += 3000;
  server += 33;
  expect(await clock.seconds()).toBe(NOW + 3);
  await waitFor(() => asked === 2, { what: 'the second measurement' });
  await waitFor(async () => (await clock.seconds()) === NOW + 33, { what: 'the new time' });
});

test('after a long silence it asks before it answers', async () => {
  const clock = clockOver();
  await clock.seconds();
  local += 60_000;
  server = NOW + 3660;
  expect(await clock.seconds()).toBe(NOW + 3660);
});

test.each([
  ['stands still when a measurement was off', 3, NOW + 100],
  ['follows a clock that was set back', 3600, NOW + 100 - 3600],
])('it %s', async (_, stepBack, expected) => {
  const clock = clockOver();
  server = NOW + 100;
  await clock.seconds();
  server -= stepBack;
  local += 60_000;
  expect(await clock.seconds()).toBe(expected);
});

test('while Redis is away it fails instead of guessing', async () => {
  const server = await startRedis();
  const away = connect(server.url, 'request', 'test');
  away.on('error', () => {});
  await away.ping();
  await server.kill();
  await expect(new RedisClock(away).seconds()).rejects.toThrow();
  away.disconnect();
  await server.stop();
});
