import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { join } from 'node:path';
import { checkPorts, freePort as freePortNow, type Launched, launchRedis, onPath, type RedisPlan } from '@ruyi/process';
import { freePort, type TempDir, tempDir } from '@ruyi/testkit';
import { Redis } from 'ioredis';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';

let folder: TempDir;
let running: Launched | undefined;
beforeEach(() => {
  // Characters that redis.conf must quote.
  folder = tempDir(`redis "quoted" \\ 数据 `);
});
afterEach(async () => {
  running?.signal('SIGKILL');
  await running?.gone;
  running = undefined;
  folder.remove();
});

function launch(plan: Partial<RedisPlan> & Pick<RedisPlan, 'address'>): Launched {
  const binary = onPath('redis-server', process.env.PATH) ?? expect.fail('no redis-server on PATH');
  running = launchRedis({ binary, dir: join(folder.path, 'redis'), maxmemory: 0, say: () => {}, ...plan });
  return running;
}

describe('redis-server', () => {
  test('is ready when it answers, with the settings from stdin', async () => {
    const socket = join(folder.path, 'redis.sock');
    await launch({ address: { socket }, maxmemory: 64 * 1024 * 1024 }).ready;
    const redis = new Redis({ path: socket });
    const setting = async (name: string) => (await redis.config('GET', name))[1];
    expect(await setting('dir')).toBe(join(folder.path, 'redis'));
    expect(await setting('maxmemory')).toBe(String(64 * 1024 * 1024));
    expect(await setting('port')).toBe('0');
    expect(await setting('appendonly')).toBe('yes');
    expect(await setting('appendfsync')).toBe('everysec');
    redis.disconnect();
  });

  test('requires its password on a port', async () => {
    const [port, password] = [await freePort(), 'pass#word\\'];
    await launch({ address: { port, password } }).ready;
    const stranger = new Redis({ port, retryStrategy: () => null });
    stranger.on('error', () => {});
    await expect(stranger.ping()).rejects.toThrow('NOAUTH');
    stranger.disconnect();
    const redis = new Redis({ port, password });
    expect(await redis.ping()).toBe('PONG');
    redis.disconnect();
  });

  test('has arguments that override its settings', async () => {
    const socket = join(folder.path, 'redis.sock');
    await launch({ address: { socket }, args: ['--appendonly', 'no'] }).ready;
    const redis = new Redis({ path: socket });
    expect(await redis.config('GET', 'appendonly')).toEqual(['appendonly', 'no']);
    redis.disconnect();
  });

  test('that gives up is rejected with its reason in one line', async () => {
    const dir = join(folder.path, 'redis');
    mkdirSync(join(dir, 'appendonlydir'), { recursive: true });
    writeFileSync(join(dir, 'appendonlydir', 'appendonly.aof.manifest'), 'rubbish');
    const { ready } = launch({ address: { socket: join(folder.path, 'redis.sock') } });
    await expect(ready).rejects.toThrow(
      /^redis-server ended \(exit code 1\): [^\n]*manifest[^\n]*; see [^\n]*redis\.log$/i,
    );
    expect(readFileSync(join(dir, 'redis.log'), 'utf8')).not.toBe('');
  });

  test('that cannot be started is rejected with a reason', async () => {
    const { ready } = launch({ address: { port: await freePort(), password: '' }, binary: '/no/such/redis-server' });
    await expect(ready).rejects.toThrow(/^redis-server ended \([^\n]*\)[^\n]*$/);
  });
});

describe('ports', () => {
  const servers: Server[] = [];
  afterEach(() => {
    for (const server of servers.splice(0)) server.close();
  });
  const listen = (port: number) =>
    new Promise<void>((resolve) => {
      servers.push(createServer().listen(port, '127.0.0.1', resolve));
    });

  test('a free one can be listened on and is not one that the kernel gives to clients', async () => {
    const port = await freePortNow();
    expect(port).toBeGreaterThanOrEqual(20_000);
    expect(port).toBeLessThan(30_000);
    await listen(port);
  });

  test('a busy one, one given twice and an address of another machine are refused with the name of the variable', async () => {
    const [port, other] = [await freePort(), await freePort()];
    const api = { host: '127.0.0.1', port, variable: 'PORT' };
    const board = { host: '127.0.0.1', port: other, variable: 'BOARD_PORT' };
    await checkPorts([api, board]);
    await expect(checkPorts([api, { ...board, port }])).rejects.toThrow(/^BOARD_PORT=\d+: PORT is the same/);
    await expect(checkPorts([{ ...api, host: '192.0.2.1' }])).rejects.toThrow(
      /^HOST=192\.0\.2\.1, PORT=\d+: cannot listen \(EADDRNOTAVAIL\)/,
    );
    await listen(other);
    await expect(checkPorts([api, board])).rejects.toThrow(/^BOARD_PORT=\d+: something else listens on 127\.0\.0\.1/);
  });
});
