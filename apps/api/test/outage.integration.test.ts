import type { ErrorBody } from '@ruyi/contracts';
import { startRedis, waitFor } from '@ruyi/testkit';
import { afterEach, describe, expect, test } from 'vitest';
import { type Endpoint, endpoints } from './endpoints.ts';
import {
  type Answer,
  base64,
  fresh,
  group,
  names,
  personal,
  type System,
  startApp,
  testSystem,
  text,
  upTo,
} from './harness.ts';

const paused = testSystem(['worker']);
const killed = testSystem(['worker', 'indexer']);
const NOBODY = 'http://127.0.0.1:9';
const searchless = testSystem(['worker'], { MEILI_URL: NOBODY });

/** Well beyond every deadline of the API; a request that takes longer hangs. */
const HANGS_MS = 20_000;

async function withoutHanging<T>(asked: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const hang = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error('no answer')), HANGS_MS);
  });
  return Promise.race([asked, hang]).finally(() => clearTimeout(timer));
}

const ask = (system: System, { method, path, valid }: Endpoint): Promise<Answer<ErrorBody>> =>
  method === 'POST'
    ? system.post(path, valid)
    : system.get(path, Object.fromEntries(Object.entries(valid).map(([name, value]) => [name, String(value)])));

function unavailable(title: string, { status, body, headers }: Answer<ErrorBody>): void {
  expect([title, status, body.code, body.status]).toEqual([title, 503, 'unavailable', 503]);
  expect(Number(headers.get('retry-after'))).toBeGreaterThan(0);
}

async function everythingIsUnavailable(system: System): Promise<void> {
  const progress = system.get('/message/sendbatch/123456789');
  const health = system.get('/health');
  const answers = await withoutHanging(Promise.all(endpoints.map((endpoint) => ask(system, endpoint))));
  for (const [i, answer] of answers.entries()) unavailable(endpoints[i]?.title ?? '', answer);
  unavailable('progress', await withoutHanging(progress));
  const { status, body } = await withoutHanging(health);
  expect([status, body]).toMatchObject([503, { status: 'down', checks: { redis: { status: 'down' } } }]);
  // Requests that do not need Redis are answered as usual.
  expect((await system.post('/message/send', '{')).status).toBe(400);
  expect((await system.get('/nowhere')).status).toBe(404);
}

const healthy = (system: System) =>
  waitFor(async () => (await system.get('/health')).status === 200, { what: 'the API to be healthy again' });

test('without its search engine it is degraded: searching is 503, sending and reading go on', async () => {
  const { status, body } = await searchless.get('/health');
  const fix = expect.stringContaining('MEILI_URL');
  expect([status, body]).toMatchObject([
    200,
    { status: 'degraded', checks: { redis: { status: 'ok' }, search: { status: 'degraded', fix } } },
  ]);
  const ann = fresh('ann');
  const refused = await searchless.post('/plugins/wk.plugin.search/usersearch', { uid: ann });
  unavailable('search', refused);
  const room = group(fresh('room'));
  await searchless.store({ ...room, from_uid: ann, payload: base64('hi') });
  expect((await searchless.log(room)).map(text)).toEqual(['hi']);
});

describe('while Redis does not answer', () => {
  afterEach(() => paused.redis.kill('SIGCONT'));

  test('every endpoint is 503 within its deadline, and works again afterwards', async () => {
    await paused.redis.kill('SIGSTOP');
    await everythingIsUnavailable(paused);
    await paused.redis.kill('SIGCONT');
    await healthy(paused);
    for (const endpoint of endpoints.filter(({ path }) => !path.includes('search'))) {
      expect([endpoint.title, (await ask(paused, endpoint)).status]).toEqual([endpoint.title, 200]);
    }
    await paused.settled();
  });

  test('a repeat with the same client_msg_no stores once what was 503', async () => {
    const message = { ...group(fresh('room')), payload: base64('once'), client_msg_no: 'no' };
    const uids = names(3000, fresh('u'));
    const batch = { from_uid: fresh('ann'), subscribers: uids, payload: base64('once'), client_msg_no: 'no' };
    await paused.send({ ...message, client_msg_no: 'warm up' });
    await paused.redis.kill('SIGSTOP');
    const [sent, sentBatch] = await withoutHanging(
      Promise.all([paused.post('/message/send', message), paused.post('/message/sendbatch', batch)]),
    );
    unavailable('send', sent);
    unavailable('sendbatch', sentBatch);
    await paused.redis.kill('SIGCONT');
    await healthy(paused);
    for (const _ of upTo(2)) {
      expect((await paused.send(message)).status).toBe(200);
      expect((await paused.sendBatch(batch)).body).toMatchObject({ accepted: 3000, fail_uids: [] });
    }
    await paused.settled();
    expect((await paused.log(message)).map(({ client_msg_no }) => client_msg_no)).toEqual(['warm up', 'no']);
    for (const uid of [uids[0], uids[1500], uids[2999]]) {
      expect((await paused.log(personal(uid ?? '', batch.from_uid))).map(text)).toEqual(['once']);
    }
  });

  test('a send that waits for its storage is answered all the same', async () => {
    const waiting = paused.send({ ...group(fresh('room')), payload: 'YQ==' }, { prefer: 'wait=2' });
    await paused.redis.kill('SIGSTOP');
    const { status, headers } = await withoutHanging(waiting);
    expect([200, 503]).toContain(status);
    if (status === 503) expect(headers.get('preference-applied')).toBeNull();
    await paused.redis.kill('SIGCONT');
    await healthy(paused);
  });
});

test('what cannot be put on its queue is not answered 200', async () => {
  const { client } = paused.redis;
  // The queues' lists and sorted sets have another type, so everything works except adding a job.
  const broken = [
    'send.0:send.0:wait',
    'send.1:send.1:wait',
    'fanout.0:fanout.0:prioritized',
    'fanout.1:fanout.1:prioritized',
  ]
    .map((name) => name.split(':'))
    .map(([tag, queue, list]) => `{r.${tag}}:${queue}:${list}`);
  for (const key of broken) await client.rename(key, `${key}.kept`).catch(() => {});
  for (const key of broken) await client.set(key, 'no list');
  try {
    const message = { payload: base64('never'), client_msg_no: fresh('no') };
    const answers = [
      await paused.send({ ...message, ...group(fresh('room')) }),
      await paused.send({ ...message, header: { sync_once: 1 }, ...group(fresh('room')) }),
      await paused.send({ ...message, subscribers: names(100, fresh('u')) }),
      await paused.sendBatch({ ...message, subscribers: names(100, fresh('u')) }),
    ];
    for (const { status } of answers) expect(status).toBeGreaterThanOrEqual(500);
  } finally {
    await client.del(...broken);
    for (const key of broken) await client.rename(`${key}.kept`, key).catch(() => {});
  }
  await healthy(paused);
});

describe('while Redis is gone', () => {
  test('every endpoint is 503, and works again when it is back, with an empty Redis too', async () => {
    await killed.redis.kill();
    await everythingIsUnavailable(killed);
    await killed.redis.restart();
    await healthy(killed);
    for (const endpoint of endpoints) {
      expect([endpoint.title, (await ask(killed, endpoint)).status]).toEqual([endpoint.title, 200]);
    }
    const room = group(fresh('room'));
    await killed.store({ ...room, payload: base64('back') });
    expect((await killed.log(room)).map(text)).toEqual(['back']);
  });

  test('an API, a worker and an indexer that are told to stop do', async () => {
    const redis = await startRedis();
    const apps = (['api', 'worker', 'indexer'] as const).map((name) =>
      startApp(name, { ...killed.config, REDIS_URL: redis.url, DATA_DIR: `${killed.config.DATA_DIR}/${name}` }),
    );
    const processes = await Promise.all(apps);
    await redis.kill();
    const exits = await Promise.all(processes.map((process) => process.kill('SIGTERM')));
    await redis.stop();
    expect(exits).toEqual(exits.map(() => ({ code: 0, signal: null })));
  });
});
