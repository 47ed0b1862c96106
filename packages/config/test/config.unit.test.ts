import { totalmem } from 'node:os';
import { resolve } from 'node:path';
import { type Config, ConfigError, loadConfig } from '@ruyi/config';
import { describe, expect, test } from 'vitest';

const NO_NUMBERS = ['-1', '1.5', '1e3', '0x10', ' 5', '5 ', '+5', '1_000', 'many', '５', '9'.repeat(30)];
const NO_FLAGS = ['2', '-1', 'true', 'yes', 'on', '01', ' 1'];

interface Variable {
  name: string;
  field: keyof Config;
  default: unknown;
  /** value in the environment → in the config */
  valid: [string, unknown][];
  invalid: string[];
}

const number = (name: string, field: keyof Config, fallback: number, min: number, max?: number): Variable => ({
  name,
  field,
  default: fallback,
  valid: [
    [String(min), min],
    [String(max ?? 10 ** 15 - 1), max ?? 10 ** 15 - 1],
    [`00${min + 1}`, min + 1],
  ],
  invalid: [...NO_NUMBERS, ...(min > 0 ? [String(min - 1)] : []), ...(max === undefined ? [] : [String(max + 1)])],
});
const flag = (name: string, field: keyof Config): Variable => ({
  name,
  field,
  default: false,
  valid: [
    ['0', false],
    ['1', true],
  ],
  invalid: NO_FLAGS,
});
const text = (name: string, field: keyof Config, fallback: string, valid: string[]): Variable => ({
  name,
  field,
  default: fallback,
  valid: valid.map((value) => [value, value]),
  invalid: [],
});
const MIB = 1024 * 1024;
const NO_URLS = 'localhost localhost:6379 //localhost :// ftp://localhost REDIS redis:6379 http:7700'.split(' ');

const VARIABLES: Variable[] = [
  text('HOST', 'host', '127.0.0.1', ['::1', 'localhost']),
  number('PORT', 'port', 5001, 0, 65_535),
  {
    ...text('API_TOKEN', 'apiToken', '', ['secret', 'with a blank', '密', 'old,new']),
    invalid: [',', 'a,', ',a', 'a,b,c', 'a, b', ' a'],
  },
  flag('ALLOW_ANONYMOUS', 'allowAnonymous'),
  {
    ...text('REDIS_URL', 'redisUrl', '', [
      'redis://localhost',
      'rediss://user:word@redis.example:6380/2',
      'redis+unix:///run/redis.sock',
      'redis+unix:///run/redis.sock#2',
      'redis+unix://user:word@/run/a%20b/r%C3%A9dis,1.sock#0',
      'redis+unix://:word@/run/redis.sock',
      `redis+unix:///${'x'.repeat(106)}`,
      'redis+sentinel://a,b:1/main',
      'redis+cluster://a',
      'rediss+cluster://ann:word@a:1,b:2',
      'redis://ann:word@a,redis://b',
    ]),
    invalid: [
      ...NO_URLS,
      ...['http://localhost', 'redis://a,http://b', 'redis://a,', 'redis://a,b'],
      ...[
        'redis://a?db=1',
        'rediss://a:6380/0?',
        'redis://a?autoResendUnfulfilledCommands=true',
        'redis://a,redis://b?c',
      ],
      ...['redis+unix://', 'redis+unix:/run/s', 'redis+unix://host/run/s', 'redis+unix:///', 'redis+unix:///s#x'],
      ...['redis+unix:///s#', 'redis+unix:///s?db=1', 'redis+unix:///s%00', 'redis+unix:///s%', 'redis+unix:///s#1#2'],
      ...['redis+unix://%:word@/s', `redis+unix:///${'x'.repeat(107)}`, `redis+unix:///${'%C3%A9'.repeat(54)}`],
      ...[
        'REDIS+UNIX:///s',
        'redis://',
        'redis:///1',
        'redis://a/b',
        'redis://a/1/2',
        'redis://a:0',
        'redis://a:65536',
      ],
      ...[
        'redis://a:b',
        'redis://a#1',
        'redis://a b',
        'redis://%:word@a',
        'redis://a,rediss://b',
        'redis://a/1,redis://b/1',
      ],
      ...['redis+sentinel://a', 'redis+sentinel://a/', 'redis+sentinel:///main', 'redis+sentinel://a,/main'],
      ...['redis+sentinel://a/main/x', 'redis+cluster://', 'redis+cluster://a/1', 'redis+cluster://a,'],
      'rediss+unix:///s',
    ],
  },
  {
    ...text('MEILI_URL', 'meiliUrl', '', ['http://localhost:7700', 'https://search.example/meili']),
    invalid: [...NO_URLS, 'redis://localhost', 'http://', 'http://a b'],
  },
  { ...text('RUYI_URL', 'ruyiUrl', 'http://127.0.0.1:5001', ['https://api.example/ruyi']), invalid: [...NO_URLS] },
  text('REDIS_CA_FILE', 'redisCaFile', '', []),
  text('REDIS_CERT_FILE', 'redisCertFile', '', []),
  text('REDIS_KEY_FILE', 'redisKeyFile', '', []),
  flag('ALLOW_NO_AOF', 'allowNoAof'),
  flag('ALLOW_EVICTION', 'allowEviction'),
  {
    ...text('REDIS_APPENDFSYNC', 'redisAppendfsync', 'everysec', ['everysec', 'always']),
    invalid: ['no', 'Always', '1'],
  },
  text('MEILI_API_KEY', 'meiliApiKey', '', ['key']),
  { ...text('DATA_DIR', 'dataDir', resolve('data'), ['/var/lib/ruyi']), valid: [['x/../y', resolve('y')]] },
  text('BOARD_HOST', 'boardHost', '127.0.0.1', ['::1', 'localhost']),
  number('BOARD_PORT', 'boardPort', 5002, 0, 65_535),
  text('BOARD_TOKEN', 'boardToken', '', ['secret']),
  flag('BOARD_READONLY', 'boardReadonly'),
  { ...text('BOARD_ENVIRONMENT', 'boardEnvironment', '', ['production']), invalid: ['x'.repeat(41)] },
  text('HEALTH_HOST', 'healthHost', '127.0.0.1', ['0.0.0.0', '::']),
  { ...number('HEALTH_PORT', 'healthPort', 0, 0, 65_535), default: undefined },
  number('DRAIN_SECONDS', 'drainSeconds', 0, 0, 3600),
  number('APIS', 'apis', 1, 1, 64),
  number('WORKERS', 'workers', 1, 1, 256),
  { ...number('INDEXERS', 'indexers', 1, 1, 64), valid: [['1', 1]] },
  number('SHARDS', 'shards', 64, 1, 1024),
  { ...number('LANES', 'lanes', 0, 1, 64), default: undefined },
  number('MAX_BODY_BYTES', 'maxBodyBytes', 16 * MIB, 1024, 1024 * MIB),
  number('MAX_PAYLOAD_BYTES', 'maxPayloadBytes', MIB / 4, 1, 64 * MIB),
  number('BROADCAST_KEEP_DAYS', 'broadcastKeepDays', 7, 1, 3650),
  number('MAX_OPEN_BROADCASTS', 'maxOpenBroadcasts', 1000, 1, 100_000),
  number('MAX_RECIPIENTS', 'maxRecipients', 100_000, 1, 1_000_000),
  {
    ...number('MAX_BACKLOG', 'maxBacklog', 0, 1),
    default: { send: 1_000_000, fanout: 5_000_000 },
    valid: [['7', { send: 7, fanout: 7 }]],
  },
  number('REDIS_MAXMEMORY', 'redisMaxmemory', Math.floor(totalmem() / 2), 16 * MIB),
  number('REDIS_NODES', 'redisNodes', 1, 1, 64),
  number('REDIS_WAIT', 'redisWait', 0, 0, 10),
  number('INDEX_BACKLOG', 'indexBacklog', 5_000_000, 1),
  number('IDEMPOTENCY_TTL', 'idempotencyTtl', 86_400, 1, 31_536_000),
  number('INBOX_KEEP', 'inboxKeep', 100, 0, 1_000_000),
  number('INBOX_MAX', 'inboxMax', 100_000, 1, 10_000_000),
  number('LOG_RETENTION', 'logRetention', 0, 0),
  number('LOG_MAX_AGE', 'logMaxAge', 0, 0, 4_294_967_295),
  flag('REQUIRE_KNOWN_USERS', 'requireKnownUsers'),
  { ...text('SEARCH_PAYLOAD', 'searchPayload', 'object', ['object', 'base64']), invalid: ['json', 'Object', '1'] },
  {
    ...text('OTEL_EXPORTER_OTLP_ENDPOINT', 'otelEndpoint', '', ['http://localhost:4318', 'https://otel.example/x']),
    invalid: NO_URLS,
  },
  {
    name: 'OTEL_TRACES_SAMPLER_ARG',
    field: 'otelShare',
    default: 1,
    valid: ['0', '0.01', '1', '1.0'].map((share) => [share, Number(share)]),
    invalid: ['-0.1', '1.1', '2', '.5', '5e-1', '0,5', '1 %', ' 1', '0.'],
  },
  {
    ...text('LOG_LEVEL', 'logLevel', 'info', ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent']),
    invalid: ['verbose', 'INFO', '30'],
  },
];

/** The error that refuses these settings. */
function refusal(env: Record<string, string>): string {
  try {
    loadConfig(env);
  } catch (error) {
    expect(error).toBeInstanceOf(ConfigError);
    return error instanceof Error ? error.message : '';
  }
  return expect.fail(`${JSON.stringify(env)} was taken`);
}

describe.each(VARIABLES)('$name', ({ name, field, default: fallback, valid }) => {
  test('has its default if it is absent or empty', () => {
    for (const env of [{}, { [name]: '' }, { [name]: undefined }]) expect(loadConfig(env)[field]).toEqual(fallback);
  });

  test('is accepted if it is valid, and changes no other setting', () => {
    for (const [value, expected] of valid) {
      expect(loadConfig({ [name]: value })).toEqual({ ...loadConfig({}), [field]: expected });
    }
  });
});

test.each(VARIABLES.filter(({ invalid }) => invalid.length > 0))(
  '$name is refused with one line that names it where it is not valid',
  ({ name, invalid }) => {
    for (const value of invalid) {
      expect(refusal({ [name]: value })).toMatch(new RegExp(`^${name}=.+: must (be|start with) [^\n]+$`));
    }
  },
);

test('every setting is tested here, and none can be changed', () => {
  const config = loadConfig({});
  expect(VARIABLES.map(({ field }) => field).sort()).toEqual(Object.keys(config).sort());
  expect(Object.isFrozen(config) && Object.isFrozen(config.maxBacklog)).toBe(true);
});

test('variables of other programs are ignored', () => {
  expect(loadConfig({ PATH: '/bin', port: '1', RUYI_PORT: 'x' })).toEqual(loadConfig({}));
});

describe.each([
  ['HOST', 'API_TOKEN'],
  ['BOARD_HOST', 'BOARD_TOKEN'],
])('%s', (host, token) => {
  const OPEN = [
    '0.0.0.0',
    '10.1.2.3',
    '128.0.0.1',
    '1.127.0.0',
    '::',
    'fe80::1',
    '2001:db8::1',
    '::ffff:10.0.0.1',
    '[::]',
    'ruyi.example',
    'localhost.example',
    '127.0.0.1.example',
    'x127.0.0.1',
    '127.0.0.1, 0.0.0.0',
    ' ',
  ];

  test('may be any loopback address if there is no token', () => {
    for (const value of ['127.0.0.1', '127.255.0.9', '::1', '[::1]', 'localhost']) loadConfig({ [host]: value });
  });

  test.each(OPEN)('may be %j only with a token, or where that is meant', (value) => {
    const line = refusal({ [host]: value });
    expect(line).toMatch(new RegExp(`^${host}=.*${token}.*ALLOW_ANONYMOUS=1[^\n]*$`));
    loadConfig({ [host]: value, [token]: 'secret' });
    loadConfig({ [host]: value, ALLOW_ANONYMOUS: '1' });
  });

  test('is not opened by the token of the other one, by an empty token, or by ALLOW_ANONYMOUS=0', () => {
    const other = token === 'API_TOKEN' ? 'BOARD_TOKEN' : 'API_TOKEN';
    for (const env of [{ [other]: 'secret' }, { [token]: '' }, { ALLOW_ANONYMOUS: '0' }]) {
      expect(refusal({ [host]: '0.0.0.0', ...env })).toContain(`set ${token}`);
    }
  });
});

test('more than one indexer needs Meilisearch', () => {
  expect(refusal({ INDEXERS: '2' })).toMatch(/^INDEXERS=2: .*MEILI_URL[^\n]*$/);
  expect(loadConfig({ INDEXERS: '2', MEILI_URL: 'http://localhost:7700' }).indexers).toBe(2);
});

test('no error contains a secret, whichever setting is wrong', () => {
  const secrets = { API_TOKEN: 'hush-1', BOARD_TOKEN: 'hush-2', MEILI_API_KEY: 'hush-3' };
  const broken = [
    { PORT: 'x' },
    { INDEXERS: '3' },
    ...['REDIS_URL', 'MEILI_URL', 'OTEL_EXPORTER_OTLP_ENDPOINT'].flatMap((name) =>
      [
        'ftp://ann:hush@host',
        'ftp://:hush@host',
        'ftp://ann:hush/hush@host',
        'ftp://ann:hush@hush@host',
        'ftp://ann:hush#hush?@host',
        'ann:hush@host',
        'redis://a:hush@host,http://b:hush@host',
        'ftp://host?password=hush',
        'redis+unix://ann:hush@/run/s#x',
        'redis+unix://ann:hush@/run/s?db=1',
        'redis://ann:hush@host?db=1',
        'redis://host?password=hush',
      ].map((value) => ({ [name]: value })),
    ),
    { REDIS_URL: 'redis://ann:hush@a,rediss://ann:hush@b' },
    { REDIS_URL: 'redis://ann:hush@a/1,redis://ann:hush@b' },
    { REDIS_URL: 'redis+sentinel://ann:hush@a' },
    { REDIS_URL: 'redis+cluster://ann:hush@a/1' },
    { API_TOKEN: 'hush-1,' },
    { REDIS_URL: 'redis://ann:hush@a\n,redis://ann:hush@b,x' },
  ];
  for (const env of broken) {
    expect(refusal({ ...secrets, ...env })).not.toContain('hush');
    expect(refusal({ ...secrets, ...env })).toContain(Object.keys(env)[0]);
  }
});

test('an error is one short line even if the value has several lines or is very long', () => {
  for (const name of ['LOG_LEVEL', 'PORT', 'REDIS_URL', 'HOST']) {
    expect(refusal({ [name]: 'two\nlines\u2028three\r' })).toMatch(new RegExp(`^${name}=[^\n\r\u2028]+$`));
    expect(refusal({ [name]: 'x'.repeat(100_000) }).length).toBeLessThan(300);
  }
});
