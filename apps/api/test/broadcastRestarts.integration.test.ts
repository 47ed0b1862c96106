import type { BroadcastAnswer, ErrorBody } from '@ruyi/contracts';
import { evenShards, keys, shardOf } from '@ruyi/store';
import {
  expectNoLeaks,
  freePort,
  seededRandom,
  startRedis,
  type TestProcess,
  type TestRedis,
  tempDir,
  waitFor,
} from '@ruyi/testkit';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { broadcasting, expectEquation, logLengths } from './broadcasting.ts';
import { sizes } from './broadcastSizes.ts';
import { type Answer, apiClient, names, startApp, upTo } from './harness.ts';

const SHARDS = evenShards(16);
const PARTS = 20;
const UIDS = sizes.restarted;
const folder = tempDir('broadcast-restarts');
const config: Record<string, string> = { SHARDS: '16', LANES: '2', LOG_LEVEL: 'silent', DATA_DIR: folder.path };
let redis: TestRedis;
const running = new Map<string, TestProcess>();

beforeAll(async () => {
  redis = await startRedis({ appendonly: true, args: ['--appendfsync', 'always'] });
  config.REDIS_URL = redis.url;
  config.PORT = String(await freePort());
});
afterEach(async () => {
  await Promise.all([...running.values()].map((process) => process.kill('SIGKILL')));
  running.clear();
});
afterAll(async () => {
  await redis.stop();
  folder.remove();
  expectNoLeaks();
});

const client = () => apiClient(`http://127.0.0.1:${config.PORT}`);

async function start(name: 'api' | 'worker', key: string = name): Promise<void> {
  running.set(key, await startApp(name, config));
}

/** Repeats a request until it was answered with something that says more than "later". */
async function insist<T>(ask: () => Promise<Answer<T>>): Promise<Answer<T>> {
  return waitFor(
    async () => {
      const answer = await ask().catch(() => undefined);
      const isLater = answer === undefined || answer.status >= 429 || (answer.status === 409 && isBusy(answer.body));
      return isLater ? undefined : answer;
    },
    { what: 'an answer', deadlineMs: 60_000 },
  );
}
const isBusy = (body: unknown) => typeof body === 'object' && body !== null && 'code' in body && body.code === 'busy';

const shuffled = <T>(random: ReturnType<typeof seededRandom>, items: T[]): T[] =>
  items
    .map((item) => ({ item, at: random.next() }))
    .sort((a, b) => a.at - b.at)
    .map(({ item }) => item);

/** Kills one of the processes and starts it again. */
async function disturb(random: ReturnType<typeof seededRandom>): Promise<string> {
  const victim = random.pick(['api', 'worker', 'other', 'redis']);
  if (victim === 'redis') {
    await redis.kill('SIGKILL');
    await redis.restart();
  } else {
    await running.get(victim)?.kill('SIGKILL');
    await start(victim === 'api' ? 'api' : 'worker', victim);
  }
  return victim;
}

test('parts in any order, some uids twice, some lines invalid, and every process killed again and again: each gets one', {
  timeout: 2 * sizes.deadlineMs,
}, async () => {
  const random = seededRandom();
  await Promise.all([start('api'), start('worker'), start('worker', 'other')]);
  const { create, upload, act } = broadcasting(client());
  const uids = names(UIDS, 'u');
  const size = UIDS / PARTS;
  const parts = upTo(PARTS).map((n) => {
    const own = uids.slice((n - 1) * size, n * size);
    const repeated = upTo(size * 0.05).map(() => uids[random.whole(0, UIDS - 1)] ?? '');
    return { part: n - 1, lines: [...own, ...repeated, ...upTo(5).map((i) => `@${n}-${i}`)] };
  });
  // At four seconds or more there is time to kill somebody.
  const no = await create({ rate: UIDS / 4 });
  let isOver = false;
  const victims: string[] = [];
  const disturbed = (async () => {
    while (!isOver && victims.length < sizes.kills) victims.push(await disturb(random));
  })();
  for (const { part, lines } of shuffled(random, parts)) {
    // A repeat must have the same bytes.
    const body = shuffled(random, lines).join('\n');
    const answer = await insist(() => upload(no, part, body));
    expect([part, answer.status]).toEqual([part, 200]);
    expect(answer.body).toMatchObject({ accepted: size * 1.05, invalid_count: 5 });
  }
  expect((await insist(() => act(no, 'start'))).status).toBe(200);
  const end = await waitFor(
    async () => {
      const answer = await client()
        .get<BroadcastAnswer>(`/broadcasts/${no}`)
        .catch(() => undefined);
      return answer?.status === 200 && answer.body.finished_at > 0 ? answer.body : undefined;
    },
    { what: 'the broadcast to end', deadlineMs: sizes.deadlineMs },
  );
  isOver = true;
  await disturbed;
  expect(victims.length).toBeGreaterThan(3);
  expect(end).toMatchObject({
    state: 'done',
    accepted: UIDS * 1.05,
    total: UIDS,
    stored: UIDS,
    failed: 0,
    invalid: 100,
  });
  expectEquation(end);
  expect(await logLengths(redis.client, 'news')).toEqual(new Map([[1, UIDS]]));
});

test('whatever is done to it, and whoever is killed meanwhile, a broadcast adds up, and nobody has a command twice', {
  timeout: 2 * sizes.deadlineMs,
}, async () => {
  const random = seededRandom();
  await Promise.all([start('api'), start('worker'), start('worker', 'other')]);
  const { create, upload } = broadcasting(client());
  const act = (no: string, action: string) =>
    insist(() => client().request<BroadcastAnswer & ErrorBody>('POST', `/broadcasts/${no}/${action}`));
  for (const prefix of ['one', 'two', 'three']) {
    const uids = names(6000, prefix);
    const no = await create({ header: { sync_once: 1 }, rate: random.pick([0, 1500, 4000]) });
    expect((await insist(() => upload(no, 0, [...uids, ...uids.slice(0, 500)].join('\n')))).status).toBe(200);
    await act(no, 'start');
    for (let i = random.whole(4, 8); i > 0; i--) {
      const event = random.pick(['pause', 'resume', 'pause', 'resume', 'kill', 'kill']);
      if (event === 'kill') await disturb(random);
      else await act(no, event);
    }
    const isCancelled = random.whole(0, 2) > 0;
    await act(no, 'resume');
    if (isCancelled) await act(no, 'cancel');
    await disturb(random);
    const end = await waitFor(
      async () => {
        const answer = await client().get<BroadcastAnswer>(`/broadcasts/${no}`);
        return answer.status === 200 && answer.body.finished_at > 0 ? answer.body : undefined;
      },
      { what: `broadcast ${no} to end`, deadlineMs: 60_000 },
    );
    expect(end).toMatchObject({ accepted: 6500, total: 6000, failed: 0 });
    expectEquation(end);
    const lengths = await Promise.all(uids.map(async (uid) => (await inboxLength(uid)) ?? 0));
    expect([Math.max(0, ...lengths) <= 1, lengths.reduce((sum, n) => sum + n, 0)]).toEqual([true, end.stored]);
    if (!isCancelled) expect(end.stored).toBe(6000);
  }
});

test('start_at is kept while everything dies and comes back', async () => {
  await Promise.all([start('api'), start('worker')]);
  const { create, upload, show } = broadcasting(client());
  const no = await create({ from_uid: 'later' });
  await upload(no, 0, names(100, 'later').join('\n'));
  const [seconds] = await redis.client.time();
  const start_at = Number(seconds) + 5;
  const { body } = await client().post<BroadcastAnswer>(`/broadcasts/${no}/start`, { start_at });
  expect(body).toMatchObject({ state: 'scheduled', started_at: 0 });
  await Promise.all([...running.values()].map((process) => process.kill('SIGKILL')));
  await redis.kill('SIGKILL');
  await redis.restart();
  await Promise.all([start('api'), start('worker')]);
  const end = await waitFor(
    async () => {
      const report = await show(no);
      return report.finished_at > 0 && report;
    },
    { what: 'it to be sent', deadlineMs: 30_000 },
  );
  expect(end).toMatchObject({ state: 'done', stored: 100 });
  expect(end.started_at).toBeGreaterThanOrEqual(start_at);
  expect(await logLengths(redis.client, 'later')).toEqual(new Map([[1, 100]]));
});

const inboxLength = (uid: string) => redis.client.llen(keys.inbox(shardOf(uid, SHARDS), uid));
