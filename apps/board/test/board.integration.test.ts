import { createRequire } from 'node:module';
import { createServer } from 'node:net';
import { fileURLToPath } from 'node:url';
import { queuesOfPlan } from '@ruyi/queue';
import {
  freePort,
  type ProcessOptions,
  startProcess,
  startRedis,
  type TestProcess,
  type TestRedis,
  waitFor,
} from '@ruyi/testkit';
import { Queue, UnrecoverableError, Worker } from 'bullmq';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

const MAIN = fileURLToPath(new URL('../dist/main.js', import.meta.url));
const WORKER = fileURLToPath(new URL('../../worker/dist/main.js', import.meta.url));
const TOKEN = 'correct horse battery staple';
const LANES = 2;

let redis: TestRedis;
let open: TestProcess;
let guarded: TestProcess;
const start = (env: Record<string, string>, options: ProcessOptions = {}) =>
  startProcess(MAIN, { REDIS_URL: redis.url, BOARD_PORT: '0', LANES: String(LANES), ...env }, options);
const at = (board: TestProcess, path: string) => `${board.details.address}${path}`;

beforeAll(async () => {
  redis = await startRedis();
  [open, guarded] = await Promise.all([start({}), start({ BOARD_TOKEN: TOKEN })]);
});
afterAll(async () => {
  for (const board of [open, guarded]) expect(await board.kill('SIGTERM')).toEqual({ code: 0, signal: null });
  await redis.stop();
});

/** The routes that Bull Board itself registers, so that the routes of a new version are tested too. */
function mutatingRoutes(): { method: string; path: string }[] {
  const require = createRequire(import.meta.url);
  const { appRoutes } = require('@bull-board/api/dist/routes.js');
  const api: { method: string | string[]; route: string | string[] }[] = appRoutes.api;
  return api.flatMap(({ method, route }) =>
    [method]
      .flat()
      .flatMap((one) => (one === 'get' ? [] : [route].flat().map((path) => ({ method: one.toUpperCase(), path })))),
  );
}

interface ShownQueue {
  name: string;
  displayName: string;
  description: string;
  delimiter: string;
  readOnlyMode: boolean;
  allowRetries: boolean;
  jobs: unknown[];
}

const read = async <T>(path: string): Promise<T> => (await (await fetch(at(open, path))).json()) as T;

async function failedJob(name: string): Promise<{ queue: Queue; id: string }> {
  const connection = { url: redis.url };
  const queue = new Queue(name, { connection, prefix: `{r.${name}}` });
  const worker = new Worker(name, async () => Promise.reject(new UnrecoverableError('cannot be processed')), {
    connection,
    prefix: `{r.${name}}`,
  });
  const job = await queue.add('dead', { queue: 'send.0', name: 'send', reason: 'cannot be processed', data: {} });
  await waitFor(() => job.isFailed(), { what: 'the job to fail' });
  await worker.close();
  return { queue, id: job.id ?? '' };
}

describe('what it shows', () => {
  test('Bull Board at /queues, and everything that it loads from this server', async () => {
    const page = await fetch(at(open, '/queues'));
    expect(page.status).toBe(200);
    const html = await page.text();
    const scripts = [...html.matchAll(/(?:src|href)="(static\/[^"]+\.(?:js|css))"/g)].map(([, path]) => path);
    expect(scripts.length).toBeGreaterThan(1);
    for (const path of scripts) expect((await fetch(at(open, `/queues/${path}`))).status).toBe(200);
    expect(html).not.toMatch(/https?:/);
    expect(page.headers.get('content-security-policy')).toContain("default-src 'self'");
    expect(page.headers.get('x-powered-by')).toBeNull();
  });

  test('every queue, read-only, with a name for people', async () => {
    const { queues } = await read<{ queues: ShownQueue[] }>('/queues/api/queues');
    expect(queues.map(({ name }) => name)).toEqual(
      queuesOfPlan({ generation: 0, lanes: LANES }).map(({ name }) => name),
    );
    expect(queues.map(({ displayName }) => displayName)).toEqual([
      ...['Messages, lane 0', 'Messages, lane 1', 'Broadcasts, lane 0', 'Broadcasts, lane 1'],
      ...['Search index', 'Coordinators', 'Dead letters'],
    ]);
    for (const { name, description, delimiter, readOnlyMode, allowRetries } of queues) {
      const expected = { delimiter: '.', readOnlyMode: true, allowRetries: false };
      expect({ name, delimiter, readOnlyMode, allowRetries }).toEqual({ name, ...expected });
      expect(description).toMatch(/\S/);
    }
  });

  test('of the largest job what it is about, a link to its broadcast, and less than 20 KB', async () => {
    const uids = Array.from({ length: 2000 }, (_, i) => `user-${i}`.padEnd(120, 'x'));
    const chunks = [0, 1000].map((start) => ({
      chunk: start,
      start,
      uids: uids.slice(start, start + 1000).join('\n'),
    }));
    const data = { ref: '107k3', no: '2k9f3', from: 'promo9', chunks };
    const connection = { url: redis.url };
    const queue = new Queue('fanout.1', { connection, prefix: '{r.fanout.1}' });
    const reason = 'no room '.repeat(5000);
    const worker = new Worker('fanout.1', async () => Promise.reject(new UnrecoverableError(reason)), {
      connection,
      prefix: '{r.fanout.1}',
    });
    const job = await queue.add('broadcast', data, { jobId: '107k3.1.0.2000' });
    await waitFor(() => job.isFailed(), { what: 'the job to fail' });
    await worker.close();
    const answer = await fetch(at(open, '/queues/api/queues/fanout.1/107k3.1.0.2000'));
    const text = await answer.text();
    expect(text.length).toBeLessThan(20_000);
    const { job: shown } = JSON.parse(text);
    expect(shown).toMatchObject({
      name: 'broadcast 2k9f3 from promo9 · 2,000 recipients',
      externalUrl: { href: '/broadcasts/2k9f3' },
      progress: 0,
    });
    expect(shown.data.chunks[0].uids).toMatch(/^user-0x+\nuser-1x/);
    const { queues } = await read<{ queues: ShownQueue[] }>('/queues/api/queues?activeQueue=fanout.1&status=failed');
    const [listed] = queues.find(({ name }) => name === 'fanout.1')?.jobs ?? [];
    expect(JSON.stringify(listed).length).toBeLessThan(20_000);
    await queue.obliterate({ force: true });
    await queue.close();
  });

  test('the workers of a queue by their names, and how many jobs it worked each minute', async () => {
    const queue = new Queue('fanout.0', { connection: { url: redis.url }, prefix: '{r.fanout.0}' });
    const worker = await startProcess(WORKER, { REDIS_URL: redis.url, LANES: String(LANES), LOG_LEVEL: 'silent' });
    const workers = async () =>
      (await read<{ workers: { name: string }[] }>('/queues/api/queues/fanout.0/workers')).workers;
    await waitFor(async () => (await workers()).length === 1, { what: 'the worker of the lane' });
    expect((await workers())[0]?.name).toMatch(/^worker-/);
    await queue.add('broadcast', { setAside: true }, { jobId: 'a.1' });
    await waitFor(async () => (await queue.getCompletedCount()) === 1, { what: 'the job' });
    const { completed } = await read<{ completed: { meta: { count: number } } }>('/queues/api/queues/fanout.0/metrics');
    expect(completed.meta.count).toBe(1);
    expect(await worker.kill('SIGTERM')).toEqual({ code: 0, signal: null });
    await queue.obliterate({ force: true });
    await queue.close();
  });

  test('BOARD_ENVIRONMENT as a banner, and fonts of the machine', async () => {
    const board = await start({ BOARD_ENVIRONMENT: 'production' });
    const [, config = ''] =
      /<script id="__UI_CONFIG__"[^>]*>(.*?)<\/script>/s.exec(await (await fetch(at(board, '/queues'))).text()) ?? [];
    expect(JSON.parse(config)).toMatchObject({
      environment: { label: 'production' },
      theme: { light: { 'font-sans': expect.stringMatching(/^system-ui/) } },
    });
    expect(await board.kill('SIGTERM')).toEqual({ code: 0, signal: null });
  });
});

describe('what it refuses', () => {
  test.each(mutatingRoutes())('$method $path', async ({ method, path }) => {
    const { queue, id } = await failedJob('dead');
    for (const name of queuesOfPlan({ generation: 0, lanes: LANES }).map(({ name }) => name)) {
      const url = path
        .replace(':queueName', name)
        .replace(':jobId', id)
        .replace(':queueStatus', 'failed')
        .replace(':schedulerId', 'x');
      const headers = { 'content-type': 'application/json' };
      const answer = await fetch(at(open, `/queues${url}`), {
        method,
        headers,
        body: JSON.stringify({ name: 'x', data: {} }),
      });
      expect([url, answer.status]).toEqual([url, 405]);
    }
    expect(await queue.getFailedCount()).toBe(1);
    await queue.obliterate({ force: true });
    await queue.close();
  });

  test('a host name that only points to this machine (DNS rebinding), if there is no token', async () => {
    const { request } = await import('node:http');
    const status = await new Promise((resolve) => {
      request(at(open, '/queues/api/queues'), { headers: { host: 'evil.example' } }, (answer) => {
        answer.resume();
        resolve(answer.statusCode);
      }).end();
    });
    expect(status).toBe(403);
  });
});

describe('with BOARD_TOKEN', () => {
  const post = (token: string) =>
    fetch(at(guarded, '/login'), { method: 'POST', body: new URLSearchParams({ token }), redirect: 'manual' });

  test('only /health and the login form are open', async () => {
    expect((await fetch(at(guarded, '/health'))).status).toBe(200);
    const page = await fetch(at(guarded, '/'), { headers: { accept: 'text/html' }, redirect: 'manual' });
    expect([page.status, page.headers.get('location')]).toEqual([303, '/login']);
    expect((await fetch(at(guarded, '/login'))).status).toBe(200);
    expect((await fetch(at(guarded, '/queues/api/queues'))).status).toBe(401);
    expect((await fetch(at(guarded, '/queues/api/queues/dead/retry/failed'), { method: 'PUT' })).status).toBe(401);
  });

  test('the token opens a session, logging out ends it', async () => {
    const cookie = (await post(TOKEN)).headers.get('set-cookie') ?? '';
    expect(cookie).toMatch(/^ruyi_board=[\w-]{40,}; .*HttpOnly; SameSite=Strict/);
    const headers = { cookie: cookie.split(';')[0] ?? '' };
    expect((await fetch(at(guarded, '/queues/api/queues'), { headers })).status).toBe(200);
    await fetch(at(guarded, '/logout'), { method: 'POST', headers, redirect: 'manual' });
    expect((await fetch(at(guarded, '/queues/api/queues'), { headers })).status).toBe(401);
  });

  test('neither a wrong token nor a form that is too long opens one', async () => {
    for (const wrong of ['', 'x', `${TOKEN}x`]) {
      const answer = await post(wrong);
      expect([answer.status, answer.headers.get('set-cookie')]).toEqual([401, null]);
    }
    expect((await post('x'.repeat(10_000))).status).toBe(413);
  });

  test('programs send it as a bearer token', async () => {
    const ask = (token: string) =>
      fetch(at(guarded, '/queues/api/queues'), { headers: { authorization: `Bearer ${token}` } });
    expect((await ask(TOKEN)).status).toBe(200);
    expect((await ask('x')).status).toBe(401);
  });
});

describe('when something is wrong', () => {
  test('without Redis it answers 503 and keeps running, or waits to start; with Redis it works again', async () => {
    await redis.kill();
    expect((await fetch(at(open, '/queues/api/queues'))).status).toBe(503);
    expect((await fetch(at(open, '/health'))).status).toBe(503);
    expect((await fetch(at(open, '/'))).status).toBe(200);
    const later = await start({}, { waitForReady: false });
    await waitFor(() => later.stdout.includes('waiting for Redis at'), { what: 'the line that it waits' });
    await redis.restart();
    await waitFor(() => later.details.ready, { what: 'its start' });
    for (const board of [open, later]) {
      await waitFor(async () => (await fetch(at(board, '/queues/api/queues'))).status === 200, { what: 'the queues' });
    }
    expect(await later.kill('SIGTERM')).toEqual({ code: 0, signal: null });
  });

  test('it stops while Redis is away', async () => {
    const board = await start({});
    await redis.kill();
    expect(await board.kill('SIGTERM')).toEqual({ code: 0, signal: null });
    await redis.restart();
  });

  test('a taken port and a missing setting are reported in one line', async () => {
    const port = await freePort();
    const other = createServer().listen(port, '127.0.0.1');
    const line = `BOARD_HOST=127.0.0.1, BOARD_PORT=${port}: another program listens there (EADDRINUSE)`;
    await expect(start({ BOARD_PORT: String(port) })).rejects.toThrow(line);
    other.close();
    await expect(start({ REDIS_URL: '' })).rejects.toThrow(/^REDIS_URL/);
    await expect(start({ BOARD_HOST: '0.0.0.0' })).rejects.toThrow(/BOARD_TOKEN/);
  });
});
