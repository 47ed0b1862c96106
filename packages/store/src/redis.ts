import { backoffDelay } from '@ruyi/flow';
import { Redis, type RedisOptions } from 'ioredis';
import { readScripts } from './scripts.ts';
import { parseUnixUrl } from './unixUrl.ts';

/** ioredis types the reply mapping by the constructor's argument; ours is always the default. */
type Options = Omit<RedisOptions, 'replyMapping'>;

/** What a connection is for decides how it behaves while Redis is away. */
type ConnectionRole =
  /** answers a person: fails within 2 s, never repeats a command whose outcome is unknown */
  | 'request'
  /** works in the background: waits for as long as it takes */
  | 'background'
  /** the same, but for a command whose outcome is unknown: it fails, and its caller looks how things are now */
  | 'worker';

const COMMAND_TIMEOUT_MS = 2000;

/**
 * Opens a connection to Redis, at any REDIS_URL that the configuration accepts. Auto-pipelining stays off: with scripts
 * on a cluster it fails, and an unguarded failure ends the process.
 */
export function connect(url: string, role: ConnectionRole, name: string): Redis {
  const shared: Options = {
    connectionName: `ruyi-${name}`,
    enableAutoPipelining: false,
    // Closing while Redis is away must not wait for it.
    disconnectTimeout: 1000,
    retryStrategy: (times) => backoffDelay(times, { firstMs: 100, longestMs: 1000 }),
    scripts: readScripts(),
  };
  const byRole: Options =
    role === 'request'
      ? { commandTimeout: COMMAND_TIMEOUT_MS, maxRetriesPerRequest: 1, autoResendUnfulfilledCommands: false }
      : { maxRetriesPerRequest: null };
  const unix = parseUnixUrl(url);
  const redis = unix ? new Redis({ ...shared, ...byRole, ...unix }) : new Redis(url, { ...shared, ...byRole });
  if (role !== 'background') rejectUnanswered(redis);
  return redis;
}

/**
 * Fails the commands that a lost connection leaves without an answer, also those that ioredis put aside for the next one
 * because the socket was gone before anyone was told: they build on what a Redis knew that may have lost its last
 * moments. ioredis would send them, or with `autoResendUnfulfilledCommands: false` and no bound on retries forget those
 * that were sent and never settle.
 */
function rejectUnanswered(redis: Redis): void {
  const flush: unknown = Reflect.get(redis, 'flushQueue');
  if (typeof flush !== 'function') throw new Error('ioredis has no flushQueue any more');
  let wasReady = false;
  redis.on('ready', () => {
    wasReady = true;
  });
  redis.on('close', () => {
    // What was asked for while there was no connection waits for the next one.
    Reflect.apply(flush, redis, [new Error('Connection is closed.'), { offlineQueue: wasReady }]);
    wasReady = false;
  });
}

/**
 * Counts how often a connection was lost. A Redis that comes back after a loss of power has forgotten its last moments,
 * so what it answered on an earlier connection may not be there any more.
 */
export function countLosses(redis: Redis): () => number {
  let losses = 0;
  redis.on('close', () => {
    losses++;
  });
  return () => losses;
}

const REPLY_CODES = [
  // A transaction of which Redis refused a command, which is how it refuses all of them.
  'EXECABORT',
  'LOADING',
  'OOM',
  'READONLY',
  'MASTERDOWN',
  'CLUSTERDOWN',
  'TRYAGAIN',
  'BUSY',
  'MISCONF',
  'NOREPLICAS',
];

/** Codes of errors that no repetition heals; every other one is transient (invariant 3). */
const PERMANENT =
  /WRONGTYPE|not an integer|would overflow|user_script|Error running script|Script attempted|ERR wrong number/;

/** Whether the same command may work later. Errors of ours and defects are not for Redis to heal. */
export function isTransient(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  if (error.name === 'ReplyError') {
    return REPLY_CODES.some((code) => error.message.includes(code)) || !PERMANENT.test(error.message);
  }
  return isConnectionError(error);
}

/** Whether Redis did not answer, or answered that it cannot serve now: the API's 503. */
export function isUnavailable(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  if (error.name === 'ReplyError') return REPLY_CODES.some((code) => error.message.includes(code));
  return isConnectionError(error);
}

function isConnectionError(error: Error): boolean {
  const code = 'code' in error ? String(error.code) : '';
  // A unix socket that is not there while Redis starts again (ENOENT), or whose queue is full (EAGAIN).
  if ('syscall' in error && error.syscall === 'connect') return true;
  return (
    /^(ECONN|EPIPE|ETIMEDOUT|ENOTFOUND|EAI_AGAIN|EHOST|ENET)/.test(code) ||
    error.name === 'MaxRetriesPerRequestError' ||
    /Command timed out|Connection is closed|aborted due to connection close|Stream isn't writeable|connect ETIMEDOUT|Too many Cluster redirections|ClusterAllFailedError|Socket closed|reconnect/i.test(
      error.message,
    )
  );
}
