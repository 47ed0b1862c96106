import { createRequire } from 'node:module';
import { createServer } from 'node:net';
import { fileURLToPath } from 'node:url';
import { freePort } from '@ruyi/process';
import { DEAD_QUEUE, queuesOfPlan } from '@ruyi/queue';
import {
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
    expect(page.headers.get('content-security-policy')).toContain("default-src 'self'");
    expect(page.headers.get('x-powered-by')).toBeNull();
  });

  test('every queue, read-only except dead', async () => {
    const { queues } = (await (await fetch(at(open, '/queues/api/queues'))).json()) as {
      queues: { name: string; readOnlyMode: boolean; allowRetries: boolean }[];
    };
    expect(queues.map(({ name }) => name)).toEqual(
      queuesOfPlan({ generation: 0, lanes: LANES }).map(({ name }) => name),
    );
    for (const { name, readOnlyMode, allowRetries } of queues) {
      expect({ name, readOnlyMode, allowRetries }).toEqual({
        name,
        readOnlyMode: name !== DEAD_QUEUE.name,
        allowRetries: name === DEAD_QUEUE.name,
      });
    }
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
      if (name === 'dead' && /\/retry(\/failed)?$/.test(url)) continue;
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

  test.each([
    '/queues/api/queues/dead/retry/completed',
    '/queues/api/queues/dead/retry/retry',
    '/queues/api/queues/send.0/1/retry',
  ])('PUT %s', async (path) => {
    expect((await fetch(at(open, path), { method: 'PUT' })).status).toBe(405);
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

describe('retry on dead', () => {
  test.each([
    ['one job', (id: string) => `/queues/api/queues/dead/${id}/retry`, 204],
    ['all that failed', () => '/queues/api/queues/dead/retry/failed', 200],
  ])('%s', async (_, path, status) => {
    const { queue, id } = await failedJob('dead');
    expect((await fetch(at(open, path(id)), { method: 'PUT' })).status).toBe(status);
    expect(await queue.getFailedCount()).toBe(0);
    expect(await queue.getWaitingCount()).toBe(1);
    await queue.obliterate({ force: true });
    await queue.close();
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
