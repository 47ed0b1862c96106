import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { freePort, makeCertificates, startProcess, startRedis, type TestRedis, tempDir, waitFor } from '@ruyi/testkit';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

/** Every kind of process on a Redis that it cannot use, or that is not there. */

const dist = (path: string) => fileURLToPath(new URL(`../apps/${path}/dist/main.js`, import.meta.url));
type Program = [name: string, entry: string, ...args: string[]];
const API: Program = ['the API', dist('api')];
const WORKER: Program = ['a worker', dist('worker')];
const INDEXER: Program = ['an indexer', dist('indexer')];
const BOARD: Program = ['the board', dist('board')];
const START: Program = ['npm start', dist('cli'), 'up'];
const COMMAND: Program = ['a command', dist('cli'), 'status'];
const PROCESSES = [API, WORKER, INDEXER, BOARD, START];
const SECRET = 'hush';

const certificates = makeCertificates();
const folder = tempDir('refusals');
let folders = 0;
let redis: TestRedis;
let evicting: TestRedis;
let tlsPort: number;

beforeAll(async () => {
  tlsPort = await freePort();
  const { ca, server } = certificates;
  const tlsFiles = ['--tls-cert-file', server.cert, '--tls-key-file', server.key, '--tls-ca-cert-file', ca];
  [redis, evicting] = await Promise.all([
    startRedis({ args: ['--tls-port', String(tlsPort), ...tlsFiles] }),
    startRedis({ args: ['--maxmemory-policy', 'allkeys-lru'] }),
  ]);
  await redis.client.call('ACL', 'SETUSER', 'noinfo', 'on', `>${SECRET}`, '~*', '&*', '+@all', '-info');
});
afterAll(async () => {
  await Promise.all([redis.stop(), evicting.stop()]);
  certificates.remove();
  folder.remove();
});

/** The settings of a process with ports and a folder of its own. */
const settings = async () => ({
  DATA_DIR: join(folder.path, String(folders++)),
  PORT: String(await freePort()),
  BOARD_PORT: String(await freePort()),
});

const withPassword = (url: string, user = '') => url.replace('//', `//${user}:${SECRET}@`);
/** All ask the same probe (packages/redis/test/probe.integration.test.ts), so after the first row each has one of its own. */
const REFUSALS: [string, Program[], () => Record<string, string>, RegExp][] = [
  [
    'a wrong password',
    [...PROCESSES, COMMAND],
    () => ({ REDIS_URL: withPassword(redis.url, 'nobody') }),
    /does not know this user or password/,
  ],
  ['a forbidden INFO', [API], () => ({ REDIS_URL: withPassword(redis.url, 'noinfo') }), /refuses INFO, which BullMQ/],
  ['eviction', [START], () => ({ REDIS_URL: evicting.url }), /maxmemory-policy is allkeys-lru: .* ALLOW_EVICTION=1/],
  [
    'the wrong CA',
    [WORKER],
    () => ({ REDIS_URL: `rediss://:${SECRET}@127.0.0.1:${tlsPort}`, REDIS_CA_FILE: certificates.otherCa }),
    /signed by somebody unknown; .*REDIS_CA_FILE/,
  ],
  ['TLS at a plain port', [INDEXER], () => ({ REDIS_URL: `rediss://127.0.0.1:${redis.port}` }), /speaks no TLS/],
  [
    'redis+cluster:// at a Redis that is none',
    [BOARD],
    () => ({ REDIS_URL: `redis+cluster://127.0.0.1:${redis.port}` }),
    /is no cluster; use redis:\/\//,
  ],
];

describe.each(REFUSALS)('%s', (_, programs, env, reason) => {
  test.each(programs)('ends %s with 1 and one line without the password', async (_name, entry, ...args) => {
    const refused = await startProcess(entry, { ...(await settings()), ...env() }, { args, waitForReady: false });
    await waitFor(() => refused.child.exitCode !== null, { what: 'its end' });
    expect(await refused.exit).toEqual({ code: 1, signal: null });
    expect(refused.stderr).toMatch(/^REDIS_URL[^\n]+\n$/);
    expect(refused.stderr).toMatch(reason);
    expect(refused.output).not.toContain(SECRET);
  });
});

describe('a Redis that does not answer', () => {
  const unreachable = async () => ({
    ...(await settings()),
    REDIS_URL: `redis://:${SECRET}@127.0.0.1:${await freePort()}`,
  });

  test.each<[NodeJS.Signals, ...Program]>([
    ...PROCESSES.map((program): [NodeJS.Signals, ...Program] => ['SIGTERM', ...program]),
    ['SIGINT', ...WORKER],
  ])('%s ends the waiting of %s with 0', async (signal, _, entry, ...args) => {
    const waiting = await startProcess(entry, await unreachable(), { args, waitForReady: false });
    await waitFor(() => waiting.stdout.includes('waiting for Redis at redis://127.0.0.1'), { what: 'the line' });
    waiting.child.kill(signal);
    await waitFor(() => waiting.child.exitCode !== null, { what: 'its end' });
    expect(await waiting.exit).toEqual({ code: 0, signal: null });
    expect(waiting.output.split('\n').filter((line) => line.includes('waiting for Redis'))).toHaveLength(1);
    expect(waiting.output).not.toContain(SECRET);
  });

  test('ends a command with 1 and one line', async () => {
    const command = await startProcess(dist('cli'), await unreachable(), { args: ['status'], waitForReady: false });
    expect(await command.exit).toEqual({ code: 1, signal: null });
    expect(command.output).toMatch(/^REDIS_URL=redis:\/\/127[^\n]+: Redis does not answer \(ECONNREFUSED\);[^\n]+\n$/);
  });
});

/** A namespace of processes makes the program the first one, as in a container. */
const UNSHARE = ['--pid', '--fork', '--kill-child'];
const canUnshare = spawnSync('unshare', [...UNSHARE, 'true']).status === 0;
if (!canUnshare) console.log('skipped: tests as the first process of a container; unshare --pid is not allowed here');

describe.runIf(canUnshare)('as the first process of a container', () => {
  test.each(PROCESSES)('%s that waits for Redis ends with 0 at SIGTERM', async (_, entry, ...args) => {
    const env = { PATH: process.env.PATH, ...(await settings()), REDIS_URL: `redis://127.0.0.1:${await freePort()}` };
    const container = spawn('unshare', [...UNSHARE, process.execPath, entry, ...args], { env, stdio: 'pipe' });
    const end = () => container.kill('SIGKILL');
    process.once('exit', end);
    let output = '';
    container.stdout.on('data', (text) => {
      output += text;
    });
    await waitFor(() => output.includes('waiting for Redis'), { what: 'the line' });
    process.kill(firstProcessOf(container), 'SIGTERM');
    await waitFor(() => container.exitCode !== null, { what: 'its end' });
    expect(container.exitCode).toBe(0);
    process.off('exit', end);
  });
});

function firstProcessOf({ pid }: ChildProcess): number {
  return Number(readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim());
}
