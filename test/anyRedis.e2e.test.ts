import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { launchRedis } from '@ruyi/process';
import { connect, unixUrl } from '@ruyi/redis';
import { expectNoLeaks, freePort, makeCertificates, startRedis, type TestRedis, tempDir } from '@ruyi/testkit';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { everyFlow } from './everyFlow.ts';
import { newInstallation } from './installation.ts';

/** Whole installations on every kind of Redis (docs/redis.md); where one server serves several, each has its database. */

const certificates = makeCertificates();
const folder = tempDir('any-redis');
const socket = join(folder.path, 'redis.sock');
let redis: TestRedis;
let tls: TestRedis;
let tlsPort: number;

beforeAll(async () => {
  tlsPort = await freePort();
  const { ca, server } = certificates;
  const tlsFiles = ['--tls-cert-file', server.cert, '--tls-key-file', server.key, '--tls-ca-cert-file', ca];
  [redis, tls] = await Promise.all([
    startRedis({ appendonly: true, args: ['--unixsocket', socket] }),
    startRedis({ appendonly: true, args: ['--tls-port', String(tlsPort), ...tlsFiles] }),
  ]);
  await redis.client.call('ACL', 'SETUSER', 'ann', 'on', '>p@ss,w:rd', '~*', '&*', '+@all');
  await redis.client.call('ACL', 'SETUSER', 'managed', 'on', '>hush', '~*', '&*', '+@all', '-config');
  await redis.client.call('ACL', 'SETUSER', 'default', 'resetpass', '>secret');
});
afterAll(async () => {
  await Promise.all([redis, tls].map((server) => server.stop()));
  certificates.remove();
  folder.remove();
  expectNoLeaks();
});

const at = (login: string, db: number) => `redis://${login}@127.0.0.1:${redis.port}/${db}`;

test.each<[string, () => Record<string, string>]>([
  ['a password', () => ({ REDIS_URL: at(':secret', 0) })],
  ['a user of its ACL, in another database', () => ({ REDIS_URL: at('ann:p%40ss%2Cw%3Ard', 1) })],
  ['a unix socket', () => ({ REDIS_URL: `${unixUrl(socket).replace('//', '//:secret@')}#2` })],
  [
    'TLS, a CA of its own and a certificate',
    () => ({
      REDIS_URL: `rediss://127.0.0.1:${tlsPort}`,
      REDIS_CA_FILE: certificates.ca,
      REDIS_CERT_FILE: certificates.client.cert,
      REDIS_KEY_FILE: certificates.client.key,
    }),
  ],
  ['a Redis that forbids CONFIG', () => ({ REDIS_URL: at('managed:hush', 3), LOG_LEVEL: 'info' })],
])('everything works with %s', async (_, env) => {
  const ruyi = await newInstallation(env());
  const up = await ruyi.start();
  await everyFlow(ruyi);
  expect((await ruyi.ruyi('status')).output).toMatch(/indexer.*\n.*worker/s);
  expect(up.output).not.toMatch(/secret|p@ss|hush/);
  if (env().LOG_LEVEL) expect(up.stdout).toContain('Redis refuses CONFIG');
  expect(await up.kill('SIGTERM')).toEqual({ code: 0, signal: null });
  await ruyi.remove();
});

test('secrets come from files, and the banner shows how to use them', async () => {
  const file = (name: string, text: string) => {
    writeFileSync(join(folder.path, name), `${text}\n`, { mode: 0o600 });
    return join(folder.path, name);
  };
  const API_TOKEN_FILE = file('token', 'old,new');
  const REDIS_URL_FILE = file('url', at(':secret', 4));
  const ruyi = await newInstallation({ API_TOKEN_FILE, REDIS_URL_FILE, BOARD_TOKEN_FILE: file('board', 'b') });
  const up = await ruyi.start();
  const status = async (headers: Record<string, string>) =>
    (await fetch(`${ruyi.api}/message/sendbatch/1`, { headers })).status;
  expect([await status({}), await status({ token: 'old' }), await status({ token: 'new' })]).toEqual([401, 404, 404]);
  expect((await fetch(`${ruyi.board}/queues/api/queues`, { redirect: 'manual' })).status).not.toBe(200);
  expect((await ruyi.ruyi('status')).output).toMatch(/worker/);
  expect((await ruyi.ruyi('search', '--uid', 'bob', 'x')).output).toBe('0 found\n');
  expect(up.stdout).not.toMatch(/secret|old|new\b/);
  const command = /^ {2}try {5}(.*)$/m.exec(up.stdout)?.[1] ?? '';
  expect(spawnSync('sh', ['-c', command], { encoding: 'utf8' }).stdout).toContain('message_id');
  expect(await up.kill('SIGTERM')).toEqual({ code: 0, signal: null });
  await ruyi.remove();
});

test("REDIS_APPENDFSYNC is that of npm start's redis-server", async () => {
  const ruyi = await newInstallation({ REDIS_APPENDFSYNC: 'always' });
  const up = await ruyi.start();
  const own = connect(String(up.details.redisUrl), 'request', 'test');
  expect(await own.config('GET', 'appendfsync')).toEqual(['appendfsync', 'always']);
  own.disconnect();
  await ruyi.remove();
});

/** The path of a valkey-server. */
const VALKEY = process.env.VALKEY_SERVER;
if (!VALKEY) console.log('skipped: everything on Valkey; set VALKEY_SERVER to a valkey-server');

test.runIf(VALKEY)('everything works with Valkey', async () => {
  const valkeySocket = join(folder.path, 'valkey.sock');
  const plan = { address: { socket: valkeySocket }, dir: join(folder.path, 'valkey'), maxmemory: 0, say: console.log };
  const valkey = launchRedis({ binary: VALKEY ?? '', ...plan });
  await valkey.ready;
  const ruyi = await newInstallation({ REDIS_URL: unixUrl(valkeySocket) });
  const up = await ruyi.start();
  await everyFlow(ruyi);
  expect(await up.kill('SIGTERM')).toEqual({ code: 0, signal: null });
  await ruyi.remove();
  valkey.signal('SIGKILL');
  await valkey.gone;
});
