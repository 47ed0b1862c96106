import type { Config, RedisAddress } from '@ruyi/config';
import { Redis } from 'ioredis';
import { addressOf, optionsOf, type RedisSettings } from './connectionOptions.ts';
import { diagnose } from './diagnose.ts';
import { NEEDED_COMMANDS } from './neededCommands.ts';
import { NotServing, refusalOf, refuse } from './reasons.ts';
import { type Finding, reviewRedis } from './server.ts';

/** The settings that decide whether a Redis is taken. */
export type ProbeSettings = RedisSettings & Partial<Pick<Config, 'allowNoAof' | 'allowEviction'>>;

const CONNECT_MS = 2000;
const COMMAND_MS = 2000;
const OLDEST_VERSION = 7;
/** One of Ruyi's keys and one of BullMQ's (docs/architecture.md, Keys). */
const PROBED_KEYS = ['r:{meta}:probe', '{r.index}:probe'];

/**
 * Looks once whether Redis can serve: connects, compares what it tells about itself with what Ruyi needs, and asks for
 * every command that the user must be allowed. Nothing is written.
 * @returns what the operator should know
 * @throws RedisRefusal if Redis cannot be used as it is; another error if it cannot serve now
 */
export async function probeRedis(settings: ProbeSettings): Promise<Finding[]> {
  const address = addressOf(settings);
  const redis = new Redis({
    ...optionsOf(settings),
    lazyConnect: true,
    connectTimeout: CONNECT_MS,
    commandTimeout: COMMAND_MS,
    // While it loads its data it would wait and not say so.
    enableReadyCheck: false,
    retryStrategy: () => null,
    sentinelRetryStrategy: () => null,
    maxRetriesPerRequest: 0,
  });
  // The connection's reason (refused, unknown CA) says more than "Connection is closed".
  let reason: unknown;
  redis.on('error', (error) => {
    reason ??= error;
  });
  try {
    await redis.connect();
    return await examine(redis, address, settings);
  } catch (error) {
    const cause = reason ?? error;
    throw refusalOf(error, address) ?? refusalOf(cause, address) ?? (await diagnose(cause, address, settings)) ?? cause;
  } finally {
    redis.disconnect();
  }
}

async function examine(redis: Redis, address: RedisAddress, settings: ProbeSettings): Promise<Finding[]> {
  const info = await redis.info();
  const field = (name: string) => new RegExp(`^${name}:([^\r\n]*)`, 'm').exec(info)?.[1];
  if (field('cluster_enabled') === '1' && address.kind !== 'cluster') {
    throw refuse(address, 'this is a node of a Redis Cluster; use redis+cluster:// with the same hosts');
  }
  const version = field('redis_version') ?? '';
  if (Number.parseInt(version, 10) < OLDEST_VERSION) {
    throw refuse(address, `Redis ${version} is too old; use Redis ${OLDEST_VERSION} or newer, or Valkey`);
  }
  if (field('loading') === '1') throw new NotServing('it is loading its data');
  if (field('role') === 'slave') throw new NotServing('it is a replica, which takes no writes');
  // ioredis would go on in database 0.
  if ('db' in address && address.db !== 0) await redis.select(address.db);
  await refuseMissingPermissions(redis, address);
  return reviewRedis(redis, info, address, settings);
}

/** Puts every command into a transaction that is then dropped: Redis checks the permission before it queues. */
async function refuseMissingPermissions(client: Redis, address: RedisAddress): Promise<void> {
  const missing: string[] = [];
  for (const key of PROBED_KEYS) {
    const replies = [client.call('MULTI')];
    for (const command of NEEDED_COMMANDS) {
      const [name = '', ...args] = command.split(' ').map((word) => (word === 'KEY' ? key : word));
      replies.push(client.call(name, ...args));
    }
    replies.push(client.call('DISCARD'));
    for (const reply of await Promise.allSettled(replies)) {
      if (reply.status === 'rejected') missing.push(missingOf(reply.reason, key));
    }
  }
  if (missing.length === 0) return;
  const [most, others] = [missing.slice(0, 5), missing.length - 5];
  const more = others > 0 ? ` and ${others} more` : '';
  throw refuse(address, `the user of Redis lacks permissions; docs/redis.md lists all (${most.join(', ')}${more})`);
}

/** @throws the error if it is not about a permission */
function missingOf(error: unknown, key: string): string {
  if (!(error instanceof Error && error.message.startsWith('NOPERM'))) throw error;
  const [, command] = /'([^']+)' command/.exec(error.message) ?? [];
  if (command !== undefined) return command;
  return error.message.includes('channel') ? 'channels r:stored:*' : `keys like ${key.replace('probe', '*')}`;
}
