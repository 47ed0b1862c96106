import { spawnSync } from 'node:child_process';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { HealthAnswer, HealthCheckName } from '@ruyi/client';
import {
  expectNoLeaks,
  findFaketime,
  startProcess,
  startRedis,
  type TestProcess,
  type TestRedis,
  tempDir,
  waitFor,
  wrongClockEnv,
} from '@ruyi/testkit';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Browser, executablePath, openBrowser } from '../apps/board/test/browser.ts';
import { meilisearch, redisProxy } from './faults.ts';
import { type Installation, newInstallation } from './installation.ts';
import { type PageEvents, pageEvents } from './pageEvents.ts';

/**
 * What is wrong shows within ten seconds on the terminal, in GET /health, in the metrics, on the operator's page and in
 * `ruyi doctor`, with a fix; and when it is mended it goes away in all five.
 */

const SOON = { deadlineMs: 1000 * Number(process.env.WRONG_WITHIN_SECONDS ?? 30), everyMs: 200 };
/** A browser starts slowly; what is measured is what its server tells it. */
const BROWSER_MS = 30_000;
const INDEXER = fileURLToPath(new URL('../apps/indexer/dist/main.js', import.meta.url));
const DISK_BYTES = 24 * 1024 ** 2;

const folder = tempDir('disk');
const disk = join(folder.path, 'small');
mkdirSync(disk);
const isMounted = spawnSync('mount', ['-t', 'tmpfs', '-o', `size=${DISK_BYTES}`, 'tmpfs', disk]).status === 0;
if (!isMounted) console.log('not run: a full disk; it needs a user who may mount a tmpfs');
const faketime = findFaketime();
if (faketime === undefined) console.log('not run: a wrong clock; faketime is not installed');
if (executablePath === undefined) console.log('not run: what is wrong in a browser; Chromium is not installed');

let redis: TestRedis;
let proxy: Awaited<ReturnType<typeof redisProxy>>;
let engine: Awaited<ReturnType<typeof meilisearch>>;
let ruyi: Installation;
let up: TestProcess;
let page: PageEvents;
let browser: Browser | undefined;
let env: Record<string, string>;

beforeAll(async () => {
  redis = await startRedis({ appendonly: true, args: ['--dir', disk, '--save', ''] });
  [proxy, engine] = await Promise.all([redisProxy(redis.port), meilisearch()]);
  env = { REDIS_URL: proxy.url, MEILI_URL: engine.url, MEILI_API_KEY: 'right' };
  // Everything but search starts without the engine.
  engine.become('away');
  ruyi = await newInstallation({ ...env, LANES: '2' });
  up = await ruyi.start();
  [page, browser] = await Promise.all([pageEvents(ruyi.board), executablePath ? openBrowser() : undefined]);
  await browser?.page.goto(ruyi.board);
  const missing = {
    check: 'search',
    message: /Meilisearch: /,
    fix: /start Meilisearch, or correct MEILI_URL/,
  } as const;
  await shows([missing], 0);
  engine.become('serves');
  // What is wrong later is said anew only if its end was said.
  await isOver(['search is back'], 0);
});
afterAll(async () => {
  await Promise.all([page?.close(), browser?.close()]);
  await ruyi?.remove();
  await Promise.all([proxy?.close(), engine?.close()]);
  await redis?.stop();
  if (isMounted) spawnSync('umount', [disk]);
  folder.remove();
  expectNoLeaks();
});

const health = async () => (await ruyi.get<Required<HealthAnswer>>('/health')).body;
const metrics = async () => (await fetch(`${ruyi.api}/metrics`)).text();
const said = () => up.stdout.trim().split('\n');

interface Row {
  check: string;
  status: 'ok' | 'warn' | 'fail';
  message: string;
  fix?: string;
}

async function doctor(settings: Record<string, string> = {}): Promise<{ code: number | null; checks: Row[] }> {
  const { code, output } = await ruyi.ruyiWith(settings, 'doctor', '--json');
  return { code, checks: JSON.parse(output).checks };
}

interface Fault {
  check: HealthCheckName;
  /** what is said of it everywhere */
  message: RegExp;
  fix: RegExp;
  /** what the doctor calls it, if that is not the check */
  row?: string;
  /** what the doctor says, if that is something else */
  doctor?: { message: RegExp; fix: RegExp };
}

const soon = (what: string, condition: () => unknown) => waitFor(condition, { what, ...SOON });

/** Each place by itself: none waits for another one. */
async function shows(faults: Fault[], from: number, settings: Record<string, string> = {}): Promise<void> {
  const each = faults.flatMap(({ check, message, fix, row = check, doctor: told = { message, fix } }) => {
    const names = (found: { message?: string; fix?: string } | undefined) =>
      message.test(found?.message ?? '') && fix.test(found?.fix ?? '');
    const isOnTerminal = () =>
      said()
        .slice(from)
        .some((line) => message.test(line) && fix.test(line));
    return [
      soon(`${message} in ${check} of /health`, async () => names((await health()).checks[check])),
      soon(`${message} on the terminal`, isOnTerminal),
      soon(`the metric of ${check}`, async () => (await metrics()).includes(`ruyi_health{check="${check}"} 0`)),
      soon(`${message} on the page`, () => names(page.overview()?.health?.checks.find(({ name }) => name === check))),
      soon(`${told.message} in ruyi doctor`, async () => {
        const { code, checks } = await examined(settings);
        const isIt = (found: Row) => told.message.test(found.message) && told.fix.test(found.fix ?? '');
        return code === 1 && checks.some((found) => found.check === row && found.status === 'fail' && isIt(found));
      }),
    ];
  });
  await Promise.all(each);
}

/** Who asks while the doctor looks gets the answer to the next look: one that begins after the question. */
let looking: Promise<unknown> = Promise.resolve();
let next: ReturnType<typeof doctor> | undefined;
function examined(settings: Record<string, string>): ReturnType<typeof doctor> {
  if (next === undefined) {
    next = looking.then(() => {
      next = undefined;
      return doctor(settings);
    });
    looking = next.catch(() => {});
  }
  return next;
}

async function isOver(ends: string[], from: number): Promise<void> {
  await Promise.all([
    soon('everything to be well', async () => (await health()).status === 'ok'),
    ...ends.map((end) => soon(`"${end}" on the terminal`, () => said().slice(from).includes(end))),
    soon('no metric to say otherwise', async () => !/^ruyi_health\{check="\w+"\} 0$/m.test(await metrics())),
    soon('the page to say so', () => page.overview()?.health?.status === 'ok'),
    soon('ruyi doctor to find nothing', async () => (await examined({})).code === 0),
  ]);
}

test('frozen workers, no AOF, eviction, an old Redis, a Meilisearch that hangs, a wrong clock', async () => {
  const from = said().length;
  const clock = faketime
    ? await startProcess(INDEXER, { ...env, DATA_DIR: ruyi.dataDir, ...wrongClockEnv(faketime, 60) })
    : undefined;
  const worker = ruyi.pidOf('worker/dist/main.js');
  process.kill(worker, 'SIGSTOP');
  await redis.client.config('SET', 'appendonly', 'no');
  await redis.client.config('SET', 'maxmemory-policy', 'allkeys-lru');
  proxy.pretend('6');
  engine.become('hangs');
  const restart = { message: /no worker process lives/, fix: /start a worker/ };
  const clocks = { message: /indexer-\w+ on \S+ is (59|60) s ahead/, fix: /NTP/ };
  await shows(
    [
      ...(clock ? [{ check: 'redis', row: 'clocks', ...clocks } as const] : []),
      { check: 'redis_settings', row: 'version', message: /Redis 6\.\S+ is too old/, fix: /use Redis 7/ },
      { check: 'redis_settings', row: 'aof', message: /appendonly is off/, fix: /set appendonly yes/ },
      { check: 'redis_settings', row: 'eviction', message: /maxmemory-policy is allkeys-lru/, fix: /set noeviction/ },
      { check: 'workers', ...restart },
      { check: 'lanes', message: /no living worker has send\.0, send\.1, fanout\.0 and 1 more/, fix: /start a worker/ },
      {
        check: 'search',
        ...{ message: /the search engine gives no answer/, fix: /the load and the log of Meilisearch/ },
        doctor: { message: /Meilisearch: /, fix: /start Meilisearch/ },
      },
    ],
    from,
  );
  const shown = browser?.page.locator('.wrong', { hasText: restart.message });
  await shown?.filter({ hasText: restart.fix }).waitFor({ timeout: BROWSER_MS });
  process.kill(worker, 'SIGCONT');
  await redis.client.config('SET', 'appendonly', 'yes');
  await redis.client.config('SET', 'maxmemory-policy', 'noeviction');
  proxy.pretend('');
  engine.become('serves');
  await clock?.kill('SIGTERM');
  const ends = ['Redis is set up as it should be again', 'a worker lives again', 'every lane has a worker again'];
  await isOver([...ends, 'search is back', ...(clock ? ['Redis is back'] : [])], from);
  await browser?.page.getByText('Everything works').waitFor({ timeout: BROWSER_MS });
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
  const full = { message: /Redis cannot write to its disk \(aof_last_write_status\)/, fix: /free space/ };
  const key = { check: 'search', message: /Meilisearch/, fix: /key/ } as const;
  await shows([{ check: 'redis', ...full }, key], from, { DATA_DIR: disk });
  const { checks } = await doctor({ DATA_DIR: disk });
  const message = expect.stringContaining('are free on the disk of DATA_DIR=');
  expect(checks).toContainEqual({ check: 'disk', status: 'fail', message, fix: expect.stringContaining('free space') });
  rmSync(filler);
  engine.changeKey('right');
  await isOver(['Redis is back', 'search is back'], from);
});
