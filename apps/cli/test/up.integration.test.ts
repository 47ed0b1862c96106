import { existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { getPriority } from 'node:os';
import { join } from 'node:path';
import { connect } from '@ruyi/redis';
import { startRedis, tempDir, waitFor } from '@ruyi/testkit';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type Installation, newInstallation } from './installation.ts';

let installation: Installation;
beforeEach(async () => {
  installation = await newInstallation();
});
afterEach(async () => {
  await installation.remove();
});

interface ApiState {
  pid: number;
  redis: string;
}
const askApi = async (): Promise<ApiState> => (await fetch(installation.apiUrl)).json() as Promise<ApiState>;

describe('starting', () => {
  test('everything runs, each in its own process, and one banner says where', async () => {
    const up = await installation.start({ WORKERS: '2' });
    const commands = installation.running().map(({ command }) => command);
    for (const app of ['api', 'board', 'indexer']) {
      expect(commands.filter((command) => command.endsWith(`${app}.mjs`))).toHaveLength(1);
    }
    expect(commands.filter((command) => command.endsWith('worker.mjs'))).toHaveLength(2);
    expect(commands.filter((command) => command.includes('redis-server'))).toHaveLength(1);
    expect(up.stdout).toContain(installation.apiUrl);
    expect(up.stdout).toContain(`http://127.0.0.1:${installation.env.BOARD_PORT}`);
    expect(up.stdout).toContain(installation.dataDir);
    expect(up.stdout.match(/Ruyi is running/g)).toHaveLength(1);
    const boardEnv = readFileSync(`/proc/${installation.pidOf('board.mjs')}/environ`, 'utf8');
    expect(boardEnv.split('\0')).toContain(`RUYI_URL=${installation.apiUrl}`);
    expect(up.stderr).toBe('');
  });

  test('its redis-server keeps every write, evicts nothing and has the memory it was given', async () => {
    await installation.start();
    const redis = connect((await askApi()).redis, 'background', 'test');
    const setting = async (name: string) => ((await redis.config('GET', name)) as string[])[1];
    expect(await setting('appendonly')).toBe('yes');
    expect(await setting('appendfsync')).toBe('everysec');
    expect(await setting('maxmemory-policy')).toBe('noeviction');
    expect(await setting('zset-max-listpack-entries')).toBe('512');
    expect(await setting('maxmemory')).toBe(installation.env.REDIS_MAXMEMORY);
    expect(await setting('save')).toBe('');
    expect(await setting('dir')).toBe(join(installation.dataDir, 'redis'));
    redis.disconnect();
  });

  test('indexers have a lower priority than the rest', async () => {
    await installation.start();
    expect(getPriority(installation.pidOf('indexer.mjs'))).toBe(getPriority(installation.pidOf('worker.mjs')) + 10);
  });

  test('if LOG_LEVEL is set the children log to the terminal, otherwise into the data folder', async () => {
    const silent = await installation.start();
    await silent.kill('SIGINT');
    expect(silent.stdout).not.toContain('"name":"worker"');
    const talking = await installation.start({ LOG_LEVEL: 'info' });
    await talking.kill('SIGINT');
    expect(talking.stdout).toContain('"name":"worker"');
  });

  test('with REDIS_URL it uses that Redis and leaves it running', async () => {
    const redis = await startRedis();
    const up = await installation.start({ REDIS_URL: redis.url });
    expect((await askApi()).redis).toBe(redis.url);
    expect(installation.running().some(({ command }) => command.includes('redis-server'))).toBe(false);
    await up.kill('SIGINT');
    expect(await redis.client.ping()).toBe('PONG');
    await redis.stop();
  });
});

describe('a start that cannot work is one line, exit 1 and nothing left running', () => {
  const refused = async (env: Record<string, string>, line: RegExp) => {
    const { code, stderr } = await installation.startInVain(env);
    expect(stderr).toMatch(line);
    expect(stderr.trim().split('\n')).toHaveLength(1);
    expect(code).toBe(1);
    await installation.nothingRuns();
  };

  test('an invalid setting', () => refused({ WORKERS: 'many' }, /^WORKERS=many: must be a whole number/));
  test('one port for the probes of several processes', () => refused({ HEALTH_PORT: '9' }, /^HEALTH_PORT=9: .*set 0/));
  test('an address that is open to others without a token', () => refused({ HOST: '0.0.0.0' }, /API_TOKEN/));
  test('a data folder that cannot be written', async () => {
    writeFileSync(join(installation.dataDir, 'file'), '');
    const DATA_DIR = join(installation.dataDir, 'file');
    await refused({ DATA_DIR }, /^DATA_DIR=.*cannot be written/);
  });
  test.each(['PORT', 'BOARD_PORT'])('a busy %s', async (variable) => {
    const other = createServer().listen(Number(installation.env[variable]), '127.0.0.1');
    await refused({}, new RegExp(`^${variable}=${installation.env[variable]}: something else listens`));
    other.close();
  });
  test('a port that is taken while it starts', () =>
    refused({ FAIL_API: 'listen EADDRINUSE' }, /^PORT=.*something else/));
  test('the same port twice', () =>
    refused({ BOARD_PORT: installation.env.PORT ?? '' }, /^BOARD_PORT=\d+: PORT is the same/));
  test('a child that says why it cannot start', () => refused({ FAIL_WORKER: 'SHARDS=3: no' }, /^SHARDS=3: no$/m));
  test('a Redis that refuses the password', async () => {
    const redis = await startRedis();
    const REDIS_URL = redis.url.replace('//', '//user:secret@');
    await refused({ REDIS_URL }, /^REDIS_URL=redis:\/\/127\.0\.0\.1:\d+: Redis does not know this user or password/);
    await redis.stop();
  });
  test('no redis-server and no way to install it', async () => {
    const empty = tempDir('path');
    await refused({ PATH: empty.path }, /^redis-server is not on PATH: install it/);
    empty.remove();
  });
  test('a data folder that another start uses', async () => {
    const first = await installation.start();
    const { code, stderr } = await installation.startInVain();
    expect(code).toBe(1);
    expect(stderr).toBe(`DATA_DIR=${installation.dataDir}: in use by another start of Ruyi (process ${first.pid})\n`);
    expect((await askApi()).pid).toBeGreaterThan(0);
  });
});

describe('while REDIS_URL cannot be reached', () => {
  const waiting = async (REDIS_URL: string) => {
    const up = await installation.begin({ REDIS_URL });
    await waitFor(() => up.stdout.includes('waiting for Redis'), { what: 'the line that it waits' });
    return up;
  };

  test('it says so without the password, starts nothing, and a signal ends it with 0', async () => {
    const up = await waiting('redis://user:secret@no-such-host.invalid');
    expect(up.stdout).toMatch(/^waiting for Redis at redis:\/\/no-such-host\.invalid:6379: E[A-Z_]+\n$/);
    expect(installation.running()).toHaveLength(1);
    expect(await up.kill('SIGTERM')).toEqual({ code: 0, signal: null });
    await installation.nothingRuns();
  });

  test('it goes on when Redis is there', async () => {
    const redis = await startRedis({ appendonly: true });
    await redis.kill();
    const up = await waiting(redis.url);
    await redis.restart();
    await waitFor(() => up.stdout.includes('Ruyi is running'), { what: 'the start', deadlineMs: 30_000 });
    expect(await up.kill('SIGINT')).toEqual({ code: 0, signal: null });
    await redis.stop();
  });
});

describe('stopping', () => {
  test('Ctrl-C stops api and board, then workers, then indexers, then redis, and exits 0', async () => {
    const up = await installation.start();
    const exit = up.kill('SIGINT');
    // A second Ctrl-C changes nothing.
    up.child.kill('SIGINT');
    expect(await exit).toEqual({ code: 0, signal: null });
    await installation.nothingRuns();
    const stops = installation.events().filter((event) => event.includes('stops'));
    expect(stops.slice(0, 2).sort()).toEqual(['api', 'board'].map((app) => `${app} stops, redis answers PONG`));
    expect(stops.slice(2)).toEqual(['worker', 'indexer'].map((app) => `${app} stops, redis answers PONG`));
  });

  test('Ctrl-C while it starts leaves nothing running', async () => {
    const starting = installation.startInVain();
    await waitFor(() => installation.running().length > 2, { what: 'some children' });
    process.kill(installation.pidOf('up.mjs'), 'SIGINT');
    expect((await starting).code).toBe(0);
    await installation.nothingRuns();
  });

  test('api and board have the time to drain', async () => {
    // Longer than a child may take that does not drain.
    const up = await installation.start({ DRAIN_SECONDS: '11' });
    expect(await up.kill('SIGTERM')).toEqual({ code: 0, signal: null });
    expect(up.stdout).toContain('serving for 11 s more (DRAIN_SECONDS)');
    expect(up.stdout).not.toContain('killing it');
    expect(installation.events().filter((event) => event.includes('stops'))).toHaveLength(4);
  });

  test('another signal, a second later, ends the drain', async () => {
    const up = await installation.start({ DRAIN_SECONDS: '600' });
    const since = performance.now();
    expect(await up.endDrain()).toEqual({ code: 0, signal: null });
    expect(performance.now() - since).toBeGreaterThan(1000);
    expect(installation.events().filter((event) => event.includes('stops'))).toHaveLength(4);
  });

  test('a child that does not stop is killed', async () => {
    const up = await installation.start();
    process.kill(installation.pidOf('worker.mjs'), 'SIGSTOP');
    expect(await up.kill('SIGTERM')).toEqual({ code: 0, signal: null });
    expect(up.stdout).toContain('worker-1 did not stop within 10 s: killing it');
    await installation.nothingRuns();
  });
});

describe('when something dies', () => {
  test('a child is started again', async () => {
    const up = await installation.start();
    const before = await askApi();
    process.kill(before.pid, 'SIGKILL');
    const after = await waitFor(async () => {
      const state = await askApi();
      return state.pid !== before.pid && state;
    });
    expect(after.redis).toBe(before.redis);
    await waitFor(() => up.stdout.includes('api ended (SIGKILL); starting it again in 0.2 s'), {
      what: 'it to be said',
    });
  });

  test('redis is started again at the same address, with its data', async () => {
    await installation.start();
    const redis = connect((await askApi()).redis, 'background', 'test');
    redis.on('error', () => {});
    await redis.set('kept', 'yes');
    process.kill(installation.pidOf('redis-server'), 'SIGKILL');
    expect(await redis.get('kept')).toBe('yes');
    redis.disconnect();
  });

  test.each([
    ['the kernel ends redis', []],
    ['the next start ends redis', ['redis-server']],
  ])('after kill -9 of the supervisor the next start finds the data, where %s', async (_, onlyCommands) => {
    // Without setpriv on PATH, redis-server is not tied to the supervisor, as on systems other than Linux.
    const env = onlyCommands.length === 0 ? {} : { PATH: pathWith(installation.dataDir, onlyCommands) };
    const first = await installation.start(env);
    const before = connect((await askApi()).redis, 'background', 'test');
    await before.set('kept', 'yes');
    before.disconnect();
    await first.kill('SIGKILL');
    // Immediately: the new start must clear away what the first one left.
    const second = await installation.start(env);
    if (onlyCommands.length > 0) expect(second.stdout).toMatch(/^ending what an earlier start left running: .*redis/);
    const after = connect((await askApi()).redis, 'background', 'test');
    expect(await after.get('kept')).toBe('yes');
    after.disconnect();
    expect(installation.pidOf('redis-server')).toBeGreaterThan(0);
    expect(installation.pidOf('worker.mjs')).toBeGreaterThan(0);
  });

  test('after kill -9 of the supervisor nothing keeps running', async () => {
    const up = await installation.start();
    await up.kill('SIGKILL');
    await installation.nothingRuns();
  });
});

/** A PATH with only these commands. */
function pathWith(folder: string, commands: string[]): string {
  const path = join(folder, 'bin');
  mkdirSync(path);
  for (const command of commands) {
    const found = (process.env.PATH ?? '').split(':').find((one) => existsSync(join(one, command)));
    symlinkSync(join(found ?? '', command), join(path, command));
  }
  return path;
}
