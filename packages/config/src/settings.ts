import { totalmem } from 'node:os';
import { resolve } from 'node:path';
import { z } from 'zod';
import { parseRedisAddress, RedisAddressError } from './redisAddress.ts';

/** What people read about a setting. The table of docs/configuration.md is generated from it. */
export interface About {
  /** the environment variable */
  name: string;
  /** in Markdown */
  text: string;
  /** the default in words, if its value says too little or depends on the machine */
  fallback?: string;
}

/** Holds the description of each schema of `settings`. */
const about = z.registry<About>();

const KIB = 1024;
const MIB = 1024 * KIB;

const whole = (min: number, max: number = Number.MAX_SAFE_INTEGER) =>
  z
    .string()
    .regex(/^\d{1,15}$/, 'must be a whole number')
    .transform(Number)
    .pipe(z.number().min(min, `must be at least ${min}`).max(max, `must be at most ${max}`));
const fraction = () =>
  z
    .string()
    .regex(/^(0(\.\d{1,15})?|1(\.0{1,15})?)$/, 'must be from 0 to 1, such as 0.01')
    .transform(Number);
const flag = () => z.enum(['0', '1'], 'must be 0 or 1').transform((value) => value === '1');
const redisUrl = () =>
  z.string().superRefine((value, context) => {
    try {
      parseRedisAddress(value);
    } catch (error) {
      if (!(error instanceof RedisAddressError)) throw error;
      context.addIssue({ code: 'custom', message: error.message });
    }
  });
const apiToken = () =>
  z
    .string()
    .refine(
      (value) => tokensOf(value).length <= 2 && tokensOf(value).every((token) => /^\S(.*\S)?$/s.test(token)),
      'must be one token, or two separated by a comma without blanks around it',
    );
/** A path; only `rediss://` and `rediss+cluster://` use it. */
const tlsFile = () => z.string().transform((path) => resolve(path));
const url = (protocols: string[]) =>
  z.string().refine((value) => hasProtocol(value, protocols), `must start with ${protocols.join(' or ')}`);

function hasProtocol(value: string, protocols: string[]): boolean {
  return protocols.some((start) => value.startsWith(start)) && URL.canParse(value);
}

/** The tokens of an API_TOKEN: none, one, or the old and the new one while it is changed. */
export const tokensOf = (value: string): string[] => (value === '' ? [] : value.split(','));

/**
 * Every setting: its field in Config, what it accepts, its default, its variable and what it is for. Sizes are in
 * bytes, times in seconds.
 */
export const settings = z.object({
  host: z.string().default('127.0.0.1').register(about, {
    name: 'HOST',
    text: 'Address of the API. One that others can reach is refused without `API_TOKEN`, unless `ALLOW_ANONYMOUS=1`',
  }),
  port: whole(0, 65_535).default(5001).register(about, { name: 'PORT', text: 'Port of the API; 0 takes a free one' }),
  apiToken: apiToken().default('').register(about, {
    name: 'API_TOKEN',
    text: 'Asked for in `Authorization: Bearer …` or the header `token`. Two, separated by a comma, are both taken, so that it can be changed without a gap. Only `/health`, `/livez` and `/readyz` are open. Without it no web page of another origin is served, and only loopback names, see below',
  }),
  allowAnonymous: flag().default(false).register(about, {
    name: 'ALLOW_ANONYMOUS',
    text: '1: serve other hosts without a token (behind a proxy that checks), whatever `Host` and `Origin` say',
  }),
  redisUrl: redisUrl().default('').register(about, {
    name: 'REDIS_URL',
    text: 'One server, a unix socket, Sentinel or a Redis Cluster: docs/redis.md. Redis 7 or newer, AOF, `maxmemory-policy noeviction`. Empty: `npm start` runs one on a socket in `DATA_DIR`',
    fallback: 'own redis-server',
  }),
  redisCaFile: tlsFile().default('').register(about, {
    name: 'REDIS_CA_FILE',
    text: "Certificates (PEM) of whoever signed that of Redis, for `rediss://`; empty: the system's",
  }),
  redisCertFile: tlsFile().default('').register(about, {
    name: 'REDIS_CERT_FILE',
    text: 'Certificate (PEM) that Ruyi shows to Redis, for `rediss://`; with `REDIS_KEY_FILE`',
  }),
  redisKeyFile: tlsFile().default('').register(about, { name: 'REDIS_KEY_FILE', text: 'Its private key (PEM)' }),
  allowNoAof: flag().default(false).register(about, {
    name: 'ALLOW_NO_AOF',
    text: '1: it is known that this Redis has no AOF and may lose messages when it restarts, so the line about it is no warning',
  }),
  allowEviction: flag().default(false).register(about, {
    name: 'ALLOW_EVICTION',
    text: '1: take a Redis whose `maxmemory-policy` is not `noeviction`; it drops messages when its memory is full',
  }),
  meiliUrl: url(['http://', 'https://']).default('').register(about, {
    name: 'MEILI_URL',
    text: 'Address of Meilisearch 1.50',
    fallback: 'embedded engine',
  }),
  meiliApiKey: z.string().default('').register(about, {
    name: 'MEILI_API_KEY',
    text: 'Needs `search`, `documents.add`, `indexes.*`, `settings.update` and `tasks.get` on `messages*`; `ruyi reindex` swaps two indexes, which Meilisearch allows only to a key for all indexes',
  }),
  dataDir: z
    .string()
    .prefault('./data')
    .transform((path) => resolve(path))
    .register(about, {
      name: 'DATA_DIR',
      text: "Redis' files, the search index, logs. One installation at a time; closed to other users of the machine, see below",
      fallback: './data',
    }),
  boardHost: z.string().default('127.0.0.1').register(about, {
    name: 'BOARD_HOST',
    text: 'Address of the page for operators; the rule of `HOST` holds, with `BOARD_TOKEN`',
  }),
  boardPort: whole(0, 65_535)
    .default(5002)
    .register(about, { name: 'BOARD_PORT', text: 'Port of the page for operators; 0 takes a free one' }),
  boardToken: z.string().default('').register(about, {
    name: 'BOARD_TOKEN',
    text: "Asked for on the board's login page; after ten wrong ones each try takes a second",
  }),
  boardReadonly: flag().default(false).register(about, {
    name: 'BOARD_READONLY',
    text: '1: the page hides every action, and the board refuses them',
  }),
  boardEnvironment: z.string().max(40, 'must be at most 40 characters').default('').register(about, {
    name: 'BOARD_ENVIRONMENT',
    text: 'Name of this installation, shown at the top of every page: `production`, `staging`',
  }),
  healthHost: z
    .string()
    .default('127.0.0.1')
    .register(about, { name: 'HEALTH_HOST', text: 'Address of the probes of a worker or an indexer' }),
  healthPort: whole(0, 65_535).optional().register(about, {
    name: 'HEALTH_PORT',
    text: 'Port on which a worker or an indexer answers `/livez` and `/readyz`, and nothing else, without a token; 0 takes a free one, which its first line names',
    fallback: 'off',
  }),
  drainSeconds: whole(0, 3600).default(0).register(about, {
    name: 'DRAIN_SECONDS',
    text: 'How long the API and the board serve on after SIGTERM while `/readyz` answers 503, for load balancers to notice; they exit within 10 s after it',
  }),
  apis: whole(1, 64).default(1).register(about, {
    name: 'APIS',
    text: 'API processes that `npm start` runs, on one port',
  }),
  workers: whole(1, 256)
    .default(1)
    .register(about, { name: 'WORKERS', text: 'Worker processes that `npm start` runs' }),
  indexers: whole(1, 64).default(1).register(about, {
    name: 'INDEXERS',
    text: 'Indexer processes that `npm start` runs. More than one needs `MEILI_URL`',
  }),
  shards: whole(1, 1024)
    .default(64)
    .register(about, { name: 'SHARDS', text: 'Slices of the keys. Fixed once data exists' }),
  lanes: whole(1, 64).optional().register(about, {
    name: 'LANES',
    text: 'Queues of each kind of a new installation, the most workers that can be busy with each. Afterwards `ruyi lanes <n>` changes it, see docs/scaling.md',
    fallback: '8',
  }),
  maxBodyBytes: whole(KIB, 1024 * MIB)
    .default(16 * MIB)
    .register(about, {
      name: 'MAX_BODY_BYTES',
      text: 'Of a request that names recipients (others: 1 MiB). The bodies of all requests of an API process together: 512 MiB, then 429',
    }),
  maxPayloadBytes: whole(1, 64 * MIB)
    .default(256 * KIB)
    .register(about, { name: 'MAX_PAYLOAD_BYTES', text: 'Of one decoded payload' }),
  maxRecipients: whole(1, 1_000_000)
    .default(100_000)
    .register(about, { name: 'MAX_RECIPIENTS', text: 'Of one request' }),
  /** in recipients, separately per kind of lane */
  maxBacklog: whole(1)
    .transform((backlog) => ({ send: backlog, fanout: backlog }))
    .readonly()
    .default({ send: 1_000_000, fanout: 5_000_000 })
    .register(about, {
      name: 'MAX_BACKLOG',
      text: 'Single sends, and recipients of fan-out (a group command counts its subscribers), that may wait before requests are answered 429. One number sets both',
      fallback: '1,000,000/5,000,000',
    }),
  redisNodes: whole(1, 64).default(1).register(about, {
    name: 'REDIS_NODES',
    text: 'redis-servers that `npm start` runs; above 1 they are a Redis Cluster of that many masters on loopback, with a password in `DATA_DIR/redis/cluster.json` (0600), and `REDIS_MAXMEMORY` is their sum. Its bus has no password: for a machine whose users are trusted. Fixed once data exists',
  }),
  redisWait: whole(0, 10).default(0).register(about, {
    name: 'REDIS_WAIT',
    text: 'Replicas that must have a job and a body before 200, what a worker or an indexer noted before its job completes, and a cursor before syncack answers. If they do not confirm in time: 503, and workers wait. See docs/reliability.md',
  }),
  redisMaxmemory: whole(16 * MIB)
    .default(Math.floor(totalmem() / 2))
    .register(about, {
      name: 'REDIS_MAXMEMORY',
      text: 'Bytes; of the redis-server that `npm start` runs',
      fallback: "half the machine's",
    }),
  redisAppendfsync: z.enum(['everysec', 'always'], 'must be everysec or always').default('everysec').register(about, {
    name: 'REDIS_APPENDFSYNC',
    text: 'Of that redis-server. `always`: nothing that was answered 200 is lost when the machine loses its power, at the price of one disk write a batch of commands',
  }),
  indexBacklog: whole(1).default(5_000_000).register(about, {
    name: 'INDEX_BACKLOG',
    text: 'Recipients that may wait to be indexed; beyond it the index is rebuilt from Redis instead',
  }),
  idempotencyTtl: whole(1, 31_536_000).default(86_400).register(about, {
    name: 'IDEMPOTENCY_TTL',
    text: 'Seconds for which a repeated `client_msg_no` gets the first answer, and another request with it 409',
  }),
  inboxKeep: whole(0, 1_000_000)
    .default(100)
    .register(about, { name: 'INBOX_KEEP', text: "Acknowledged commands kept for a user's other devices" }),
  inboxMax: whole(1, 10_000_000).default(100_000).register(about, {
    name: 'INBOX_MAX',
    text: 'Commands kept for one user; beyond it the oldest go, acknowledged or not',
  }),
  broadcastKeepDays: whole(1, 3650).default(7).register(about, {
    name: 'BROADCAST_KEEP_DAYS',
    text: 'Days for which an ended broadcast is listed, and an open one waits for its next upload. Messages stay',
  }),
  maxOpenBroadcasts: whole(1, 100_000)
    .default(1000)
    .register(about, { name: 'MAX_OPEN_BROADCASTS', text: 'Broadcasts that may be open at once; beyond it 429' }),
  logRetention: whole(0)
    .default(0)
    .register(about, { name: 'LOG_RETENTION', text: 'Newest messages kept of each channel; 0 keeps all' }),
  logMaxAge: whole(0, 4_294_967_295).default(0).register(about, {
    name: 'LOG_MAX_AGE',
    text: 'Seconds for which messages of channels are kept; 0 keeps all. With `LOG_RETENTION` whichever comes first',
  }),
  requireKnownUsers: flag().default(false).register(about, {
    name: 'REQUIRE_KNOWN_USERS',
    text: '1: sendbatch refuses uids that `/user/token` has never seen',
  }),
  searchPayload: z.enum(['object', 'base64'], 'must be object or base64').default('object').register(about, {
    name: 'SEARCH_PAYLOAD',
    text: '`base64`: usersearch answers payloads as base64, for clients built on TangSengDaoDao',
  }),
  ruyiUrl: url(['http://', 'https://']).default('http://127.0.0.1:5001').register(about, {
    name: 'RUYI_URL',
    text: 'The API that `ruyi broadcast`, `ruyi top` and the page for operators talk to, with `API_TOKEN`. `npm start` gives its board the address of its own API',
  }),
  otelEndpoint: url(['http://', 'https://']).default('').register(about, {
    name: 'OTEL_EXPORTER_OTLP_ENDPOINT',
    text: 'Collector of OpenTelemetry (OTLP over HTTP) to which API, workers and indexers export traces, see docs/operating.md',
    fallback: 'off',
  }),
  otelShare: fraction().default(1).register(about, {
    name: 'OTEL_TRACES_SAMPLER_ARG',
    text: 'Share of requests that are traced, from 0 to 1, of those whose caller does not decide (`traceparent`)',
  }),
  logLevel: z
    .enum(
      ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'],
      'must be trace, debug, info, warn, error, fatal or silent',
    )
    .default('info')
    .register(about, {
      name: 'LOG_LEVEL',
      text: 'trace, debug, info, warn, error, fatal, silent. Set, `npm start` prints the lines on the terminal instead of into `DATA_DIR/logs`',
    }),
});

/** Each setting by its field in Config. */
export const rows: ReadonlyMap<string, About> = new Map(
  Object.entries(settings.shape).map(([field, schema]) => {
    const row = about.get(schema);
    if (row === undefined) throw new TypeError(`${field} is not registered in \`about\``);
    return [field, row];
  }),
);
