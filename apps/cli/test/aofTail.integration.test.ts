import { execFileSync } from 'node:child_process';
import { appendFileSync, cpSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { loadConfig } from '@ruyi/config';
import { findRedis, type Launched, onPath } from '@ruyi/process';
import { connect } from '@ruyi/redis';
import { seededRandom, type TempDir, tempDir, waitFor } from '@ruyi/testkit';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { startOwnRedis } from '../src/commands/up/ownRedis.ts';
import { newInstallation } from './installation.ts';

const KEYS = 200;
const [SECOND, PAGE] = [1_000, 4_096];

/** The data folder of an installation that was shut down cleanly. */
let stopped: TempDir;
let dataDir: TempDir;
let folder: string;
let aof: string;
let whole: Buffer;
let running: Launched | undefined;
let url: string;

/** Starts redis-server as `ruyi up` does. @returns the lines that the operator sees */
async function start(path = process.env.PATH): Promise<string[]> {
  const said: string[] = [];
  const config = loadConfig({ DATA_DIR: dataDir.path, REDIS_MAXMEMORY: String(64 * 1024 * 1024) });
  const runFolder = join(dataDir.path, 'run');
  mkdirSync(runFolder, { recursive: true });
  url = await startOwnRedis({
    config,
    env: { PATH: path },
    runFolder,
    // A slow start is said, too.
    say: (line) => line.includes('is loading its data') || said.push(line),
    async start(launch) {
      running = launch();
      await running.ready;
    },
  });
  return said;
}

async function stop(): Promise<void> {
  running?.signal('SIGTERM');
  await running?.gone;
  running = undefined;
}

/** Writes an AOF of single commands, transactions and, at its end, one long value. */
beforeAll(async () => {
  stopped = dataDir = tempDir('aof');
  await start();
  const redis = connectToRedis();
  for (let n = 0; n < KEYS; n += 2) {
    await redis.set(`k${n}`, 'v');
    await redis
      .multi()
      .set(`k${n + 1}`, 'v')
      .incr('transactions')
      .exec();
  }
  await redis.set('long', 'x'.repeat(10_000));
  redis.disconnect();
  await stop();
});
beforeEach(() => {
  dataDir = tempDir("it's a copy");
  cpSync(stopped.path, dataDir.path, { recursive: true, filter: (path) => !path.endsWith('.sock') });
  folder = join(dataDir.path, 'redis', 'appendonlydir');
  aof = join(folder, 'appendonly.aof.1.incr.aof');
  whole = readFileSync(aof);
});
afterEach(async () => {
  await stop();
  dataDir.remove();
});
afterAll(() => {
  stopped.remove();
});

const connectToRedis = () => connect(url, 'request', 'test');
const copies = () => readdirSync(folder).filter((name) => /\.(cut|damaged)-/.test(name));
const random = (length: number) => {
  const { whole: number } = seededRandom(12);
  return Buffer.from(Array.from({ length }, () => number(0, 255)));
};
const zeros = Buffer.alloc(PAGE);
const MULTI = '*1\r\n$5\r\nMULTI\r\n';
const SET = '*3\r\n$3\r\nSET\r\n$4\r\nlost\r\n$1\r\nv\r\n';
const HALF = '*3\r\n$3\r\nSET\r\n$4\r\nlost\r\n$500\r\nabc';

/** Expects everything that was written before the damage, and that Redis still accepts writes. */
async function expectAllData(long = 'x'.repeat(10_000)): Promise<void> {
  const redis = connectToRedis();
  expect(await redis.exists(...Array.from({ length: KEYS }, (_, n) => `k${n}`))).toBe(KEYS);
  expect(await redis.get('transactions')).toBe(String(KEYS / 2));
  expect((await redis.get('long')) ?? '').toBe(long);
  expect(await redis.exists('lost')).toBe(0);
  await redis.set('after', 'v');
  redis.disconnect();
}

test.each<[string, () => Buffer]>([
  ['zeros', () => zeros],
  ['one zero', () => Buffer.alloc(1)],
  ['random bytes', () => random(3_000)],
  ['half a command', () => Buffer.from(HALF)],
  ['half a command and zeros', () => Buffer.concat([Buffer.from(HALF), zeros])],
  ['half a command and random bytes', () => Buffer.concat([Buffer.from(HALF), random(3_000)])],
  ['a value filled up with zeros to its very length', () => Buffer.concat([Buffer.from(HALF), zeros.subarray(0, 499)])],
  ['a transaction without its end', () => Buffer.from(MULTI + SET)],
  ['a transaction and zeros', () => Buffer.concat([Buffer.from(MULTI + SET), zeros])],
  ['half a command, up to a line end', () => Buffer.from('*3\r\n$3\r\nSET\r\n')],
  ['a transaction, cut after the first line of a command', () => Buffer.from(`${MULTI + SET}*2\r\n`)],
  ['a transaction, cut after a later line', () => Buffer.from(`${MULTI + SET}*2\r\n$4\r\nINCR\r\n`)],
  ['a transaction, cut within a line', () => Buffer.from(`${MULTI + SET}*2\r\n$4`)],
])('%s at the end: cut off, and kept in a file', async (_, tail) => {
  appendFileSync(aof, tail());
  const said = await start();
  await expectAllData();
  const [copy = '', ...more] = copies();
  expect(more).toEqual([]);
  expect(readFileSync(join(folder, copy))).toEqual(tail());
  expect(said).toEqual([
    `redis: cut ${tail().length} damaged bytes off the end of its AOF, which a crash left; they are kept: ${join(folder, copy)}`,
  ]);
  // A transaction of later completes nothing of the one that was cut.
  const later = connectToRedis();
  await later.multi().set('after', 'v').incr('transactions').exec();
  later.disconnect();
  await stop();
  expect(await start()).toEqual([]);
  const redis = connectToRedis();
  expect(await redis.mget('after', 'transactions', 'lost')).toEqual(['v', String(KEYS / 2 + 1), null]);
  redis.disconnect();
  expect(copies()).toEqual([copy]);
});

test('the last page is zeros and the file keeps its length: only the command that was cut is lost', async () => {
  // The zeros begin within the long value and replace its last bytes and line end.
  writeFileSync(aof, Buffer.concat([whole.subarray(0, -PAGE), zeros]));
  const said = await start();
  await expectAllData('');
  expect(said[0]).toMatch(/^redis: cut 10\d{3} damaged bytes/);
});

test('without redis-check-aof, redis-server does its work', async () => {
  appendFileSync(aof, zeros);
  const bin = join(dataDir.path, 'bin');
  mkdirSync(bin);
  symlinkSync(
    findRedis(process.env, () => {}),
    join(bin, 'redis-server'),
  );
  expect(onPath('redis-check-aof', bin)).toBeUndefined();
  const said = await start(bin);
  await expectAllData();
  expect(said[0]).toContain('redis: cut 4096 damaged bytes');
});

/** The reason why the start fails. */
const refusal = async (): Promise<string> => {
  const error = await start().catch((reason: unknown) => reason);
  return error instanceof Error ? error.message : expect.fail('it started');
};

test.each<[string, () => [number, Buffer]]>([
  ['in the middle', () => [whole.indexOf('k100'), random(20)]],
  ['by a page of zeros in the middle', () => [SECOND, zeros]],
  [
    'in the middle and at the end',
    () => [SECOND, Buffer.concat([zeros, whole.subarray(SECOND + PAGE, -10), Buffer.alloc(10)])],
  ],
])('damage %s: one line that says what to do, and nothing is changed', async (_, damage) => {
  const [at, bytes] = damage();
  const damaged = Buffer.from(whole);
  bytes.copy(damaged, at);
  writeFileSync(aof, damaged);
  const line = await refusal();
  expect(line).toMatch(/^redis: [^\n]* is damaged at byte \d+ of \d+, not only at its end; nothing was changed[^\n]*$/);
  expect(readFileSync(aof)).toEqual(damaged);
  expect(copies()).toEqual([]);
  // The command in the message works: everything before the damage is there.
  const [, command = ''] = /damage: (cp .*)$/.exec(line) ?? [];
  execFileSync('sh', ['-c', command]);
  expect(readFileSync(join(folder, copies()[0] ?? ''))).toEqual(damaged);
  await start();
  const redis = connectToRedis();
  expect(await redis.get('k0')).toBe('v');
  redis.disconnect();
});

test('damage in the base file is reported in one line, and nothing is changed', async () => {
  const base = join(folder, 'appendonly.aof.1.base.rdb');
  const damaged = readFileSync(base);
  damaged.write('XXXXXX', 30);
  writeFileSync(base, damaged);
  expect(await refusal()).toMatch(/^redis-server ended [^\n]*RDB[^\n]*restore [^\n]* from a backup[^\n]*$/);
  expect(readFileSync(base)).toEqual(damaged);
  expect(readFileSync(aof)).toEqual(whole);
});

test('a whole installation starts after a crash of the machine, and says what it did', async () => {
  const installation = await newInstallation();
  cpSync(dataDir.path, installation.dataDir, { recursive: true });
  appendFileSync(aof.replace(dataDir.path, installation.dataDir), zeros);
  const up = await installation.start();
  expect(up.stdout).toMatch(/^redis: cut 4096 damaged bytes/m);
  await up.kill('SIGTERM');
  await installation.remove();
});

test('a redis-server that was killed within a transaction is started again without it', async () => {
  const installation = await newInstallation();
  cpSync(dataDir.path, installation.dataDir, { recursive: true });
  const up = await installation.start();
  // While nobody starts it again, its last write is made as it can be cut.
  process.kill(up.pid, 'SIGSTOP');
  process.kill(installation.pidOf('redis-server'), 'SIGKILL');
  await waitFor(() => !installation.running().some(({ command }) => command.includes('redis-server')));
  appendFileSync(aof.replace(dataDir.path, installation.dataDir), `${MULTI + SET}*2\r\n`);
  process.kill(up.pid, 'SIGCONT');
  const redis = connect(String(up.details.redisUrl), 'background', 'test');
  redis.on('error', () => {});
  expect(await redis.exists('lost')).toBe(0);
  await waitFor(() => /^redis: cut \d+ damaged bytes/m.test(up.stdout), { what: 'it to say what was cut' });
  expect(await redis.get('transactions')).toBe(String(KEYS / 2));
  redis.disconnect();
  expect(await up.kill('SIGTERM')).toEqual({ code: 0, signal: null });
  await installation.remove();
});
