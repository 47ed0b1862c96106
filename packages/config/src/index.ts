import { totalmem } from 'node:os';
import { resolve } from 'node:path';
import { z } from 'zod';
import { problemOfRedisUrl } from './redisUrl.ts';

/** A setting that cannot work; the message is the one line that the operator sees. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
}

const whole = (fallback: number, min: number, max: number = Number.MAX_SAFE_INTEGER) =>
  z
    .string()
    .regex(/^\d{1,15}$/, 'must be a whole number')
    .transform(Number)
    .pipe(z.number().min(min, `must be at least ${min}`).max(max, `must be at most ${max}`))
    .default(fallback);
const flag = z
  .enum(['0', '1'], 'must be 0 or 1')
  .default('0')
  .transform((value) => value === '1');
const text = z.string().default('');
const url = (protocols: string[]) =>
  text.refine((value) => value === '' || hasProtocol(value, protocols), `must start with ${protocols.join(' or ')}`);

function hasProtocol(value: string, protocols: string[]): boolean {
  return protocols.some((start) => value.startsWith(start)) && URL.canParse(value);
}

const SHOWN_CHARACTERS = 100;

const Environment = z.object({
  HOST: z.string().default('127.0.0.1'),
  PORT: whole(5001, 0, 65_535),
  API_TOKEN: text,
  ALLOW_ANONYMOUS: flag,
  REDIS_URL: text.superRefine((value, context) => {
    const message = value === '' ? undefined : problemOfRedisUrl(value);
    if (message !== undefined) context.addIssue({ code: 'custom', message });
  }),
  MEILI_URL: url(['http://', 'https://']),
  MEILI_API_KEY: text,
  DATA_DIR: z
    .string()
    .default('./data')
    .transform((path) => resolve(path)),
  BOARD_HOST: z.string().default('127.0.0.1'),
  BOARD_PORT: whole(5002, 0, 65_535),
  BOARD_TOKEN: text,
  WORKERS: whole(1, 1, 256),
  INDEXERS: whole(1, 1, 64),
  SHARDS: whole(64, 1, 1024),
  LANES: whole(4, 1, 64),
  MAX_BODY_BYTES: whole(16 * 1024 * 1024, 1024, 1024 ** 3),
  MAX_PAYLOAD_BYTES: whole(256 * 1024, 1, 64 * 1024 * 1024),
  MAX_RECIPIENTS: whole(100_000, 1, 1_000_000),
  MAX_BACKLOG: whole(1_000_000, 1),
  REDIS_MAXMEMORY: whole(Math.floor(totalmem() / 2), 16 * 1024 * 1024),
  INDEX_BACKLOG: whole(5_000_000, 1),
  IDEMPOTENCY_TTL: whole(86_400, 1, 31_536_000),
  INBOX_KEEP: whole(100, 0, 1_000_000),
  INBOX_MAX: whole(100_000, 1, 10_000_000),
  LOG_RETENTION: whole(0, 0),
  REQUIRE_KNOWN_USERS: flag,
  SEARCH_PAYLOAD: z.enum(['object', 'base64'], 'must be object or base64').default('object'),
  LOG_LEVEL: z
    .enum(
      ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'],
      'must be trace, debug, info, warn, error, fatal or silent',
    )
    .default('info'),
});

/** Every setting (docs/configuration.md), typed and frozen; sizes in bytes, times in seconds. */
export interface Config {
  readonly host: string;
  readonly port: number;
  readonly apiToken: string;
  readonly allowAnonymous: boolean;
  /** as problemOfRedisUrl allows it; '' where `npm start` runs its own redis-server */
  readonly redisUrl: string;
  /** '' for the embedded engine */
  readonly meiliUrl: string;
  readonly meiliApiKey: string;
  readonly dataDir: string;
  readonly boardHost: string;
  readonly boardPort: number;
  readonly boardToken: string;
  readonly workers: number;
  readonly indexers: number;
  readonly shards: number;
  readonly lanes: number;
  readonly maxBodyBytes: number;
  readonly maxPayloadBytes: number;
  readonly maxRecipients: number;
  /** in recipients, each kind of lane by itself */
  readonly maxBacklog: { readonly send: number; readonly fanout: number };
  readonly redisMaxmemory: number;
  readonly indexBacklog: number;
  readonly idempotencyTtl: number;
  readonly inboxKeep: number;
  readonly inboxMax: number;
  readonly logRetention: number;
  readonly requireKnownUsers: boolean;
  readonly searchPayload: 'object' | 'base64';
  readonly logLevel: string;
}

/** Whether only this machine can reach an address. */
export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || host === '[::1]' || /^127(\.\d{1,3}){3}$/.test(host);
}

/**
 * Reads the environment once (docs/configuration.md). An empty variable counts as unset.
 * @throws ConfigError naming the variable, its rule and, unless it is a secret, the value
 */
export function loadConfig(env: Record<string, string | undefined>): Config {
  const given = Object.fromEntries(Object.entries(env).filter(([, value]) => value !== undefined && value !== ''));
  const parsed = Environment.safeParse(given);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    const name = String(issue?.path[0]);
    throw new ConfigError(`${name}=${shown(name, env[name] ?? '')}: ${issue?.message}`);
  }
  const e = parsed.data;
  const backlog = given.MAX_BACKLOG === undefined ? { send: 1_000_000, fanout: 5_000_000 } : both(e.MAX_BACKLOG);
  requireToken('HOST', e.HOST, 'API_TOKEN', e.API_TOKEN, e.ALLOW_ANONYMOUS);
  requireToken('BOARD_HOST', e.BOARD_HOST, 'BOARD_TOKEN', e.BOARD_TOKEN, e.ALLOW_ANONYMOUS);
  if (e.INDEXERS > 1 && e.MEILI_URL === '') {
    throw new ConfigError(`INDEXERS=${e.INDEXERS}: the embedded engine has one writer; set MEILI_URL or INDEXERS=1`);
  }
  if (/^rediss?:.*,/.test(e.REDIS_URL)) {
    throw new ConfigError('REDIS_URL: a comma list (Redis Cluster) is not supported yet; give one redis:// address');
  }
  return Object.freeze({
    host: e.HOST,
    port: e.PORT,
    apiToken: e.API_TOKEN,
    allowAnonymous: e.ALLOW_ANONYMOUS,
    redisUrl: e.REDIS_URL,
    meiliUrl: e.MEILI_URL,
    meiliApiKey: e.MEILI_API_KEY,
    dataDir: e.DATA_DIR,
    boardHost: e.BOARD_HOST,
    boardPort: e.BOARD_PORT,
    boardToken: e.BOARD_TOKEN,
    workers: e.WORKERS,
    indexers: e.INDEXERS,
    shards: e.SHARDS,
    lanes: e.LANES,
    maxBodyBytes: e.MAX_BODY_BYTES,
    maxPayloadBytes: e.MAX_PAYLOAD_BYTES,
    maxRecipients: e.MAX_RECIPIENTS,
    maxBacklog: Object.freeze(backlog),
    redisMaxmemory: e.REDIS_MAXMEMORY,
    indexBacklog: e.INDEX_BACKLOG,
    idempotencyTtl: e.IDEMPOTENCY_TTL,
    inboxKeep: e.INBOX_KEEP,
    inboxMax: e.INBOX_MAX,
    logRetention: e.LOG_RETENTION,
    requireKnownUsers: e.REQUIRE_KNOWN_USERS,
    searchPayload: e.SEARCH_PAYLOAD,
    logLevel: e.LOG_LEVEL,
  });
}

function both(backlog: number) {
  return { send: backlog, fanout: backlog };
}

/** A value as an error shows it: in one line, not at length. Secrets, and addresses that may hold one, stay hidden. */
function shown(name: string, value: string): string {
  if (/TOKEN|KEY/.test(name) || (/URL/.test(name) && /[@?]/.test(value))) return '…';
  return value.replace(/[\p{Cc}\u2028\u2029]/gu, ' ').slice(0, SHOWN_CHARACTERS);
}

function requireToken(hostName: string, host: string, tokenName: string, token: string, anonymous: boolean): void {
  if (isLoopback(host) || token !== '' || anonymous) return;
  throw new ConfigError(
    `${hostName}=${shown(hostName, host)}: this address is open to others; set ${tokenName}, or ALLOW_ANONYMOUS=1 if that is meant`,
  );
}
