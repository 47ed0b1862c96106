import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { connect } from '@ruyi/redis';
import { processesOf } from '@ruyi/testkit';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { chooseAddress } from '../src/commands/up/redisAddress.ts';
import { type Installation, newInstallation } from './installation.ts';
import { canBeNobody, listeningPorts, modesIn, reachOfNobody } from './otherUsers.ts';

let installation: Installation;
beforeEach(async () => {
  installation = await newInstallation();
});
afterEach(async () => {
  await installation.remove();
});

const redisUrl = () => readFileSync(join(installation.dataDir, 'run', 'redis-url'), 'utf8');
const environments = () => installation.running().map(({ pid }) => `/proc/${pid}/environ`);
const openTo = (modes: Map<string, number>) => [...modes].filter(([, mode]) => (mode & 0o077) !== 0);

/** A folder as an older version left it: everybody can read everything. */
function leaveOpen(dataDir: string): void {
  for (const name of ['run', 'redis/appendonlydir', 'search', 'logs']) {
    mkdirSync(join(dataDir, name), { recursive: true });
  }
  const files = ['run/lock.1', 'logs/api.log', 'logs/api.log.1', 'redis/redis.log', 'rebuild.sqlite'];
  const index = ['search/messages.sqlite', 'search/messages.sqlite-wal', 'search/messages.sqlite-shm'];
  for (const name of [...files, ...index]) writeFileSync(join(dataDir, name), '');
  for (const path of modesIn(dataDir).keys()) chmodSync(path, statSync(path).isDirectory() ? 0o777 : 0o666);
}

test('redis-server listens on no port, and nobody else may read a file of the data folder', async () => {
  leaveOpen(installation.dataDir);
  await installation.start();
  const redis = connect(redisUrl(), 'request', 'test');
  await redis.set('kept', 'yes');
  redis.disconnect();
  expect(redisUrl()).toMatch(/^redis\+unix:\/\/\/.*\/run\/redis\.sock$/);
  expect(listeningPorts(installation.pidOf('redis-server'))).toEqual([]);
  const modes = modesIn(installation.dataDir);
  expect(openTo(modes)).toEqual([]);
  expect(modes.get(installation.dataDir)).toBe(0o700);
  expect(modes.get(join(installation.dataDir, 'run', 'redis.sock'))).toBe(0o600);
  for (const file of ['redis/appendonlydir/appendonly.aof.1.incr.aof', 'redis/redis.log', 'logs/worker-1.log']) {
    expect(modes.get(join(installation.dataDir, file))).toBe(0o600);
  }
});

test.runIf(canBeNobody)('another user reaches neither Redis nor a file', async () => {
  await installation.start();
  // Everything in it is closed too, in case the folder itself is opened.
  chmodSync(installation.dataDir, 0o755);
  const paths = [...modesIn(installation.dataDir).keys()].filter((path) => path !== installation.dataDir);
  const socket = join(installation.dataDir, 'run', 'redis.sock');
  expect(existsSync(socket)).toBe(true);
  const goal = { paths: [...paths, ...environments()], sockets: [socket] };
  expect(goal.paths.length).toBeGreaterThan(15);
  // The file of the stand-ins. It is created in the folder and gets the same mode as everything else.
  expect(reachOfNobody(goal)).toEqual({ readable: [], answers: { [socket]: '' } });
  // The intruder can read what it is allowed to read.
  expect(reachOfNobody({ paths: ['/etc/passwd', '/etc'] }).readable).toHaveLength(2);
});

test('if the path is too long for a socket: a loopback port with a password that nobody else can read', async () => {
  const dataDir = join(installation.dataDir, 'x'.repeat(107 - installation.dataDir.length));
  const up = await installation.start({ DATA_DIR: dataDir });
  const url = new URL(readFileSync(join(dataDir, 'run', 'redis-url'), 'utf8'));
  expect(url).toMatchObject({ protocol: 'redis:', hostname: '127.0.0.1', username: '' });
  expect(url.password).toMatch(/^[0-9a-f]{64}$/);
  const [server] = processesOf(dataDir).filter(({ command }) => command.includes('redis-server'));
  expect(listeningPorts(server?.pid ?? 0)).toEqual([Number(url.port)]);
  const redis = connect(url.href, 'request', 'test');
  expect(await redis.ping()).toBe('PONG');
  redis.disconnect();
  for (const entry of readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
    expect(commandOf(entry)).not.toContain(url.password);
  }
  expect(openTo(modesIn(dataDir))).toEqual([]);
  if (canBeNobody) {
    const paths = [...modesIn(dataDir).keys(), `/proc/${server?.pid}/environ`];
    const { readable, answers } = reachOfNobody({ paths, ports: [Number(url.port)] });
    expect(readable).toEqual([]);
    expect(answers[url.port]).toMatch(/^-NOAUTH/);
  }
  expect(up.output).not.toContain(url.password);
  await up.kill('SIGTERM');
  const file = join(dataDir, 'run', 'redis-password');
  expect(readFileSync(file, 'utf8')).toBe(url.password);
  // It is kept, but not if it is cut off or if others could have read it.
  for (const [text, mode, isKept] of [
    [url.password, 0o600, true],
    ['', 0o600, false],
    [url.password, 0o644, false],
  ] as const) {
    writeFileSync(file, text);
    chmodSync(file, mode);
    const address = await chooseAddress(join(dataDir, 'run'));
    const password = 'password' in address ? address.password : '';
    expect(password).toMatch(/^[0-9a-f]{64}$/);
    expect(password === url.password).toBe(isKept);
    expect(readFileSync(file, 'utf8')).toBe(password);
    expect(statSync(file).mode & 0o777).toBe(0o600);
  }
});

function commandOf(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8');
  } catch {
    return '';
  }
}
