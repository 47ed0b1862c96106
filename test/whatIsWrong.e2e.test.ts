import { spawnSync } from 'node:child_process';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { createServer as createHttpServer } from 'node:http';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { HealthAnswer, HealthCheckName } from '@ruyi/client';
import {
  expectNoLeaks,
  startProcess,
  startRedis,
  type TestProcess,
  type TestRedis,
  tempDir,
  waitFor,
} from '@ruyi/testkit';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Installation, newInstallation } from './installation.ts';

/** What is wrong shows on the terminal, in GET /health, in the metrics and in `ruyi doctor`, with a fix; and it goes away. */

const SOON = { deadlineMs: 30_000, everyMs: 200 };
const INDEXER = fileURLToPath(new URL('../apps/indexer/dist/main.js', import.meta.url));
const WRONG_CLOCK = fileURLToPath(new URL('../apps/api/test/wrongClock.mjs', import.meta.url));
const DISK_BYTES = 24 * 1024 ** 2;

/** Redis through which INFO says that it is of another version. */
async function redisProxy(port: number) {
  let version = '';
  const sockets = new Set<Socket>();
  const server = createServer((client) => {
    const redis = connect(port, '127.0.0.1');
    for (const socket of [client, redis]) {
      sockets.add(socket);
      socket.on('error', () => {});
      socket.on('close', () => {
        for (const other of [client, redis]) other.destroy();
        sockets.delete(socket);
      });
    }
    client.pipe(redis);
    redis.on('data', (data) => {
      const text = data.toString('latin1');
      // As long as before: the reply begins with its length.
      const told = version === '' ? text : text.replace(/(?<=\nredis_version:)\d/, version);
      client.write(Buffer.from(told, 'latin1'));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `redis://127.0.0.1:${(server.address() as AddressInfo).port}`,
    pretend: (major: string) => {
      version = major;
    },
    async close() {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** As much of Meilisearch as processes ask for while nobody searches; it has one key. */
async function meilisearch() {
  let key = 'right';
  let isAway = false;
  const server = createHttpServer((request, response) => {
    request.resume();
    if (isAway) return request.destroy();
    const answer = (status: number, body: object) => {
      response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
    };
    if (request.headers.authorization !== `Bearer ${key}`)
      return answer(403, { code: 'invalid_api_key', message: 'no' });
    const path = request.url ?? '';
    if (path === '/version') return answer(200, { pkgVersion: '1.50.0' });
    if (path.startsWith('/tasks')) return answer(200, { uid: 1, status: 'succeeded', results: [] });
    if (path.endsWith('/search')) return answer(200, { hits: [], estimatedTotalHits: 0 });
    if (request.method === 'GET') return answer(200, { uid: path.split('/')[2] });
    answer(202, { taskUid: 1, status: 'enqueued' });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    leave: (away: boolean) => {
      isAway = away;
    },
    changeKey: (changed: string) => {
      key = changed;
    },
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

const folder = tempDir('disk');
const disk = join(folder.path, 'small');
mkdirSync(disk);
const isMounted = spawnSync('mount', ['-t', 'tmpfs', '-o', `size=${DISK_BYTES}`, 'tmpfs', disk]).status === 0;
if (!isMounted) console.log('not run: a full disk; it needs a user who may mount a tmpfs');

let redis: TestRedis;
let proxy: Awaited<ReturnType<typeof redisProxy>>;
let engine: Awaited<ReturnType<typeof meilisearch>>;
let ruyi: Installation;
let up: TestProcess;

beforeAll(async () => {
  redis = await startRedis({ appendonly: true, args: ['--dir', disk, '--save', ''] });
  [proxy, engine] = await Promise.all([redisProxy(redis.port), meilisearch()]);
  const env = { REDIS_URL: proxy.url, MEILI_URL: engine.url, MEILI_API_KEY: 'right', LANES: '2' };
  // Everything but search starts without the engine.
  engine.leave(true);
  ruyi = await newInstallation(env);
  up = await ruyi.start();
  await waitFor(() => up.stdout.includes('\nsearch: '), { what: 'the search to be missed', ...SOON });
  engine.leave(false);
  // What is wrong later is said anew only if its end was said.
  await isOver(['search is back'], 0);
});
afterAll(async () => {
  await ruyi.remove();
  await Promise.all([proxy.close(), engine.close()]);
  await redis.stop();
  if (isMounted) spawnSync('umount', [disk]);
  folder.remove();
  expectNoLeaks();
});

const health = async () => (await ruyi.get<Required<HealthAnswer>>('/health')).body;
const metrics = async () => (await fetch(`${ruyi.api}/metrics`)).text();
const said = () => up.stdout.trim().split('\n');

interface Fault {
  check: HealthCheckName;
  /** what is said of it everywhere */
  message: RegExp;
  fix: RegExp;
  /** what the doctor calls it, if that is not the check */
  row?: string;
}

async function shows(faults: Fault[], from: number, doctorEnv: Record<string, string> = {}) {
  for (const { check, message, fix } of faults) {
    const isSaid = async () => {
      const { [check]: found } = (await health()).checks;
      return message.test(found.message ?? '') && fix.test(found.fix ?? '');
    };
    await waitFor(isSaid, { what: `${message} in ${check} of /health`, ...SOON });
    const isOnTerminal = () =>
      said()
        .slice(from)
        .some((line) => message.test(line) && fix.test(line));
    await waitFor(isOnTerminal, { what: `${message} on the terminal: ${up.stdout}`, ...SOON });
  }
  const text = await metrics();
  for (const { check } of faults) expect(text).toContain(`ruyi_health{check="${check}"} 0`);
  const { code, output } = await ruyi.ruyiWith(doctorEnv, 'doctor', '--json');
  expect(code).toBe(1);
  const { checks } = JSON.parse(output);
  for (const { check, row = check, message, fix } of faults) {
    const matching = { message: expect.stringMatching(message), fix: expect.stringMatching(fix) };
    expect(checks).toContainEqual({ check: row, status: 'fail', ...matching });
  }
  return checks;
}

const well = () => waitFor(async () => (await health()).status === 'ok', { what: 'everything to be well', ...SOON });

async function isOver(ends: string[], from: number): Promise<void> {
  await well();
  for (const end of ends) {
    await waitFor(() => said().slice(from).includes(end), { what: `"${end}" on the terminal: ${up.stdout}`, ...SOON });
  }
  expect(await metrics()).not.toMatch(/^ruyi_health\{check="\w+"\} 0$/m);
}

test('frozen workers, no AOF, eviction, an old Redis, no Meilisearch, a wrong clock', async () => {
  const from = said().length;
  const clock = await startProcess(INDEXER, {
    ...{
      REDIS_URL: proxy.url,
      MEILI_URL: engine.url,
      MEILI_API_KEY: 'right',
      DATA_DIR: ruyi.dataDir,
      LOG_LEVEL: 'silent',
    },
    ...{ WRONG_BY_SECONDS: '60', NODE_OPTIONS: `--import ${WRONG_CLOCK}` },
  });
  const worker = ruyi.pidOf('worker/dist/main.js');
  process.kill(worker, 'SIGSTOP');
  await redis.client.config('SET', 'appendonly', 'no');
  await redis.client.config('SET', 'maxmemory-policy', 'allkeys-lru');
  proxy.pretend('6');
  engine.leave(true);
  await shows(
    [
      { check: 'redis', row: 'clocks', message: /indexer-\w+ on \S+ is 60 s ahead/, fix: /NTP/ },
      { check: 'redis_settings', row: 'version', message: /Redis 6\.\S+ is too old/, fix: /use Redis 7/ },
      { check: 'redis_settings', row: 'aof', message: /appendonly is off/, fix: /set appendonly yes/ },
      { check: 'redis_settings', row: 'eviction', message: /maxmemory-policy is allkeys-lru/, fix: /set noeviction/ },
      { check: 'workers', message: /no worker process lives/, fix: /start a worker/ },
      { check: 'lanes', message: /no living worker has send\.0, send\.1, fanout\.0 and 1 more/, fix: /start a worker/ },
      { check: 'search', message: /Meilisearch: /, fix: /start Meilisearch, or correct MEILI_URL/ },
    ],
    from,
  );
  process.kill(worker, 'SIGCONT');
  await redis.client.config('SET', 'appendonly', 'yes');
  await redis.client.config('SET', 'maxmemory-policy', 'noeviction');
  proxy.pretend('');
  engine.leave(false);
  await clock.kill('SIGTERM');
  const ends = ['Redis is back', 'Redis is set up as it should be again', 'a worker lives again', 'search is back'];
  await isOver([...ends, 'every lane has a worker again'], from);
});

test.runIf(isMounted)('a full disk, a key that Meilisearch does not know', async () => {
  const from = said().length;
  const filler = join(disk, 'filler');
  engine.changeKey('another');
  // As much as there is; the last piece does not fit.
  for (let i = 0; i < DISK_BYTES / 65_536; i++) {
    try {
      writeFileSync(filler, Buffer.alloc(65_536), { flag: 'a' });
    } catch {}
  }
  const found = await shows(
    [
      { check: 'redis', message: /Redis cannot write to its disk \(aof_last_write_status\)/, fix: /free space/ },
      { check: 'search', message: /Meilisearch/, fix: /key/ },
    ],
    from,
    { DATA_DIR: disk },
  );
  const message = expect.stringContaining('are free on the disk of DATA_DIR=');
  expect(found).toContainEqual({ check: 'disk', status: 'fail', message, fix: expect.stringContaining('free space') });
  rmSync(filler);
  engine.changeKey('right');
  await isOver(['Redis is back', 'search is back'], from);
  expect((await ruyi.ruyi('doctor')).output).not.toMatch(/^fail/m);
});
