import { fileURLToPath } from 'node:url';
import { beginLaneChange } from '@ruyi/queue';
import { LanePlans } from '@ruyi/store';
import {
  expectNoLeaks,
  freePort,
  startProcess,
  startRedis,
  type TestProcess,
  type TestRedis,
  tempDir,
  waitFor,
} from '@ruyi/testkit';
import { afterAll, afterEach, beforeEach, describe, expect, test } from 'vitest';
import { ask } from '../apps/api/test/rawHttp.ts';

/** The probes of every process of an installation: /livez and /readyz (docs/deploy.md). */

type Role = 'api' | 'board' | 'worker' | 'indexer';
const ROLES: Role[] = ['api', 'board', 'worker', 'indexer'];
const isServer = (role: Role) => role === 'api' || role === 'board';
/** How long Redis is away. PROBE_OUTAGE_SECONDS=30 is the whole promise; less is enough to pass every timeout. */
// biome-ignore lint/suspicious/noUndeclaredEnvVars: no task of turbo runs tests
const OUTAGE_MS = 1000 * Number(process.env.PROBE_OUTAGE_SECONDS ?? 5);

let redis: TestRedis;
let folder: ReturnType<typeof tempDir>;
let running: TestProcess[];
beforeEach(async () => {
  redis = await startRedis();
  folder = tempDir('probes');
  running = [];
});
afterEach(async () => {
  for (const one of running) await one.kill('SIGKILL');
  await redis.stop();
  folder.remove();
});
afterAll(expectNoLeaks);

async function start(role: Role, settings: Record<string, string> = {}, port = '0') {
  const entry = fileURLToPath(new URL(`../apps/${role}/dist/main.js`, import.meta.url));
  const ports = isServer(role) ? { PORT: port, BOARD_PORT: port } : { HEALTH_PORT: port };
  const env = { REDIS_URL: redis.url, DATA_DIR: folder.path, SHARDS: '8', LANES: '2', LOG_LEVEL: 'warn' };
  const options = { waitForReady: port === '0' };
  const app = await startProcess(entry, { ...env, ...ports, ...settings }, options);
  running.push(app);
  const { address, health } = app.details;
  return { app, at: port === '0' ? String(isServer(role) ? address : health) : `http://127.0.0.1:${port}` };
}

/** The status of an answer, and the reason that it gives. */
async function probe(at: string, path: string, init: RequestInit = {}): Promise<[number, string?]> {
  const response = await fetch(`${at}${path}`, init);
  const text = await response.text();
  const reason: string | undefined = text === '' ? undefined : JSON.parse(text).msg;
  return reason === undefined ? [response.status] : [response.status, reason];
}
/** What the answer says about the connection to a client that would keep it. */
const connectionOf = async (at: string) =>
  (await ask(at, 'GET', '/livez', { connection: 'keep-alive' })).headers.connection;
const refused = (reason: string) => [503, reason];

describe.each(ROLES)('%s', (role) => {
  test('is live while it starts, ready once it serves, and not ready any more when it stops', async () => {
    await redis.kill('SIGSTOP');
    const port = String(await freePort());
    const { app, at } = await start(role, { DRAIN_SECONDS: '600' }, port);
    await waitFor(async () => (await probe(at, '/livez'))[0] === 200, { what: 'it to listen' });
    expect(await probe(at, '/readyz')).toEqual(refused('starting'));
    if (isServer(role)) expect(await probe(at, '/anything')).toEqual(refused('starting, try again'));
    await redis.kill('SIGCONT');
    await waitFor(async () => (await probe(at, '/readyz'))[0] === 200, { what: 'it to be ready' });
    if (isServer(role)) expect(await connectionOf(at)).toBe('keep-alive');
    app.child.kill('SIGTERM');
    if (isServer(role)) {
      await waitFor(async () => (await probe(at, '/readyz'))[0] === 503, { what: 'it to drain' });
      expect(await probe(at, '/livez')).toEqual([200]);
      expect(await connectionOf(at)).toBe('close');
    }
    expect(await (isServer(role) ? app.endDrain() : app.exit)).toEqual({ code: 0, signal: null });
  });

  test('ends with 0 if it is stopped before it is ready', async () => {
    await redis.kill('SIGSTOP');
    const { app, at } = await start(role, {}, String(await freePort()));
    await waitFor(async () => (await probe(at, '/readyz'))[1] === 'starting', { what: 'it to start' });
    expect(await app.kill('SIGTERM')).toEqual({ code: 0, signal: null });
    await redis.kill('SIGCONT');
  });

  test(
    'is live and not ready while Redis is away, and ready again after it',
    async () => {
      const { at } = await start(role);
      await waitFor(async () => (await probe(at, '/readyz'))[0] === 200, { what: 'it to be ready' });
      for (const away of ['stopped', 'killed']) {
        await redis.kill(away === 'stopped' ? 'SIGSTOP' : 'SIGKILL');
        const until = performance.now() + OUTAGE_MS;
        const notReady = async () => (await probe(at, '/readyz'))[0] === 503;
        await waitFor(notReady, { what: 'it not to be ready' });
        await waitFor(
          async () => {
            expect(await probe(at, '/livez')).toEqual([200]);
            expect(await probe(at, '/readyz')).toEqual(refused('Redis does not answer'));
            return performance.now() > until;
          },
          { what: `${OUTAGE_MS} ms`, deadlineMs: 2 * OUTAGE_MS + 5000, everyMs: 100 },
        );
        if (away === 'stopped') await redis.kill('SIGCONT');
        else await redis.restart();
        await waitFor(async () => (await probe(at, '/readyz'))[0] === 200, { what: 'it to be ready again' });
      }
    },
    60_000 + 4 * OUTAGE_MS,
  );

  test('answers probes without a token, under any name, and to HEAD', async () => {
    const { at } = await start(role, { API_TOKEN: 'secret', BOARD_TOKEN: 'secret' });
    for (const path of ['/livez', '/readyz']) {
      const { status } = await ask(at, 'GET', path, { host: 'any.example', origin: 'http://evil.example' });
      expect([path, status, await probe(at, path, { method: 'HEAD' })]).toEqual([path, 200, [200]]);
    }
  });
});

test('a process stays ready while the number of lanes changes', async () => {
  const { at } = await start('api');
  const plans = new LanePlans(redis.client);
  const plan = (await plans.read()) ?? expect.fail('there is a plan');
  await beginLaneChange(plans, plan, plan.lanes + 1);
  const isSettled = async () => {
    expect(await probe(at, '/readyz')).toEqual([200]);
    const now = await plans.read();
    return now?.generation === plan.generation + 1 && now.draining === undefined;
  };
  await waitFor(isSettled, { what: 'the change to end' });
});

test('workers and indexers have no port for probes by default', async () => {
  const { app } = await start('worker', { HEALTH_PORT: '' });
  expect(app.details).not.toHaveProperty('health');
});
