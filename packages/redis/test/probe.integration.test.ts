import { join } from 'node:path';
import { probeRedis, RedisRefusal, unixUrl } from '@ruyi/redis';
import { expectNoLeaks, freePort, makeCertificates, startRedis, type TestRedis, tempDir } from '@ruyi/testkit';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

const certificates = makeCertificates();
const folder = tempDir('probe');
let redis: TestRedis;
let tls: TestRedis;
let tlsPort: number;
let clusterNode: TestRedis;

beforeAll(async () => {
  tlsPort = await freePort();
  const { ca, server } = certificates;
  const tlsFiles = ['--tls-cert-file', server.cert, '--tls-key-file', server.key, '--tls-ca-cert-file', ca];
  [redis, tls, clusterNode] = await Promise.all([
    startRedis({ appendonly: true, args: ['--unixsocket', join(folder.path, 's')] }),
    startRedis({ appendonly: true, args: ['--tls-port', String(tlsPort), ...tlsFiles] }),
    startRedis({ args: ['--cluster-enabled', 'yes'] }),
  ]);
  const users: [string, ...string[]][] = [
    ['full', '+@all', '~*', '&*'],
    ['noinfo', '+@all', '-info', '~*', '&*'],
    ['noconfig', '+@all', '-config', '~*', '&*'],
    ['nokeys', '+@all', '~other:*', '&*'],
    ['nochannels', '+@all', '~*', 'resetchannels'],
    ['nozadd', '+@all', '-zadd', '~*', '&*'],
    ['nothing', '-@all'],
  ];
  for (const [name, ...rules] of users) {
    await redis.client.call('ACL', 'SETUSER', name, 'reset', 'on', '>hu@sh', ...rules);
  }
});
afterAll(async () => {
  await Promise.all([redis, tls, clusterNode].map((server) => server.stop()));
  certificates.remove();
  folder.remove();
  expectNoLeaks();
});

const as = (user: string) => `redis://${user}:hu%40sh@127.0.0.1:${redis.port}`;
/** The one line of a refusal. */
async function refusal(settings: Parameters<typeof probeRedis>[0]): Promise<string> {
  const error = await probeRedis(settings).then(
    () => expect.fail('it was taken'),
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(RedisRefusal);
  const line = error instanceof Error ? error.message : '';
  expect(line).not.toMatch(/hu@sh|hush|\n/);
  return line;
}

describe('is taken, and nothing is written', () => {
  test.each([
    ['on TCP', () => redis.url],
    ['with a user', () => as('full')],
    ['in a database', () => `${as('full')}/3`],
    ['on a unix socket', () => `${unixUrl(join(folder.path, 's'))}#2`],
  ])('%s', async (_, url) => {
    expect(await probeRedis({ redisUrl: url() })).toEqual([]);
    expect(await redis.client.info('keyspace')).not.toContain('db');
  });

  test('over TLS with the CA and a certificate', async () => {
    const { ca, client } = certificates;
    const files = { redisCaFile: ca, redisCertFile: client.cert, redisKeyFile: client.key };
    expect(await probeRedis({ redisUrl: `rediss://127.0.0.1:${tlsPort}`, ...files })).toEqual([]);
  });

  test('without CONFIG, with a warning', async () => {
    expect(await probeRedis({ redisUrl: as('noconfig') })).toEqual([
      { level: 'warn', line: expect.stringMatching(/^Redis refuses CONFIG: [^\n]+$/) },
    ]);
  });
});

describe('is refused in one line', () => {
  test.each<[string, () => string, RegExp]>([
    ['an unknown user', () => as('nobody'), /does not know this user or password.*\(WRONGPASS/],
    [
      'a wrong password',
      () => as('full').replace('hu%40sh', 'hush'),
      /does not know this user or password.*\(WRONGPASS/,
    ],
    ['a user without INFO', () => as('noinfo'), /refuses INFO, which BullMQ needs/],
    ['a user without the keys', () => as('nokeys'), /lacks permissions; .*\(keys like r:\{meta\}:\*, .* more\)/],
    ['a user without the channels', () => as('nochannels'), /lacks permissions; .*\(channels r:stored:\*/],
    ['a user without a command', () => as('nozadd'), /lacks permissions; .*\(zadd, zadd\)/],
    ['a user without anything', () => as('nothing'), /refuses INFO/],
    ['a database that is not there', () => `${as('full')}/99`, /no database of that number/],
    ['TLS to a plain port', () => `rediss://127.0.0.1:${redis.port}`, /speaks no TLS on this port; use redis:\/\//],
    ['no TLS to a port with TLS', () => `redis://127.0.0.1:${tlsPort}`, /speaks TLS on this port; use rediss:\/\//],
    [
      'a certificate of an unknown CA',
      () => `rediss://127.0.0.1:${tlsPort}`,
      /signed by somebody unknown.*REDIS_CA_FILE/,
    ],
    ['one node of a cluster', () => clusterNode.url, /node of a Redis Cluster; use redis\+cluster:\/\//],
    ['no address', () => '', /^REDIS_URL: set the address/],
  ])('%s', async (_, url, line) => {
    expect(await refusal({ redisUrl: url() })).toMatch(line);
  });

  test('a password is needed', async () => {
    await redis.client.config('SET', 'requirepass', 'hush');
    expect(await refusal({ redisUrl: redis.url })).toMatch(/asks for a password/);
    await redis.client.config('SET', 'requirepass', '');
  });

  test.each([
    ['the wrong CA', { redisCaFile: certificates.otherCa }, /signed by somebody unknown/],
    ['no certificate', { redisCaFile: certificates.ca }, /REDIS_CERT_FILE/],
    [
      'a file that is no certificate',
      { redisCaFile: certificates.ca, redisCertFile: '/dev/null', redisKeyFile: '/dev/null' },
      /REDIS_CERT_FILE/,
    ],
  ])('TLS with %s', async (_, files, line) => {
    for (let i = 0; i < 5; i++) {
      expect(await refusal({ redisUrl: `rediss://127.0.0.1:${tlsPort}`, ...files })).toMatch(line);
    }
  });
});

describe('what Redis should be set to', () => {
  test('eviction is refused unless it is allowed', async () => {
    await redis.client.config('SET', 'maxmemory-policy', 'allkeys-lru');
    expect(await refusal({ redisUrl: redis.url })).toMatch(/maxmemory-policy is allkeys-lru: .*ALLOW_EVICTION=1/);
    expect(await refusal({ redisUrl: as('noconfig') })).toMatch(/maxmemory-policy is allkeys-lru/);
    expect(await probeRedis({ redisUrl: redis.url, allowEviction: true })).toEqual([
      { level: 'warn', line: expect.stringMatching(/^maxmemory-policy is allkeys-lru/) },
    ]);
    await redis.client.config('SET', 'maxmemory-policy', 'noeviction');
  });

  test('a Redis without AOF is a warning, or only a line if that is known', async () => {
    await redis.client.config('SET', 'appendonly', 'no');
    const line = expect.stringMatching(/^appendonly is off/);
    expect(await probeRedis({ redisUrl: redis.url })).toEqual([{ level: 'warn', line }]);
    expect(await probeRedis({ redisUrl: redis.url, allowNoAof: true })).toEqual([{ level: 'info', line }]);
    await redis.client.config('SET', 'appendonly', 'yes');
  });

  test('an AOF that is never synced is a warning', async () => {
    await redis.client.config('SET', 'appendfsync', 'no');
    expect(await probeRedis({ redisUrl: redis.url })).toEqual([
      { level: 'warn', line: expect.stringMatching(/^appendfsync is no/) },
    ]);
    await redis.client.config('SET', 'appendfsync', 'everysec');
  });
});
