import type { Config, Endpoint, RedisAddress } from '@ruyi/config';
import { Redis } from 'ioredis';
import { addressOf, type Options, optionsOf, type RedisSettings } from './connectionOptions.ts';
import { diagnose } from './diagnose.ts';
import { infoField } from './infoField.ts';
import { NEEDED_COMMANDS } from './neededCommands.ts';
import { versionProblem } from './problems.ts';
import { NotServing, refusalOf, refuse } from './reasons.ts';
import { RedisRefusal } from './refusal.ts';
import { type Finding, reviewRedis } from './server.ts';
import { SLOTS } from './slots.ts';

/** The settings that decide whether a Redis is taken. */
export type ProbeSettings = RedisSettings &
  Partial<Pick<Config, 'allowNoAof' | 'allowEviction' | 'redisWait'>> & {
    /** takes one that is too old, or that refuses writes now, for who only looks */
    onlyLooks?: boolean;
  };

const CONNECT_MS = 2000;
const COMMAND_MS = 2000;
/** One of Ruyi's keys and one of BullMQ's (docs/architecture.md, Keys). */
const PROBED_KEYS = ['r:{meta}:probe', '{r.index}:probe'];

/**
 * Looks once whether Redis can serve: connects, compares what it tells about itself with what Ruyi needs, and asks for
 * every command that the user must be allowed. Nothing is written. In a cluster every master is asked.
 * @returns what the operator should know
 * @throws RedisRefusal if Redis cannot be used as it is; another error if it cannot serve now
 */
export async function probeRedis(settings: ProbeSettings): Promise<Finding[]> {
  const address = addressOf(settings);
  if (address.kind !== 'cluster') {
    return asking(settings, optionsOf(settings), (redis) => examine(redis, address, settings));
  }
  const options = optionsOf(settings);
  const masters = await askAny(address.nodes, (node) =>
    asking(settings, { ...options, ...node }, (redis) => mastersToldBy(redis, address)),
  );
  const findings = masters.map(async ({ host, port }) => {
    const found = await asking(settings, { ...options, host, port }, (redis) => examine(redis, address, settings));
    return found.map(({ level, line }) => ({ level, line: `${host}:${port}: ${line}` }));
  });
  return (await Promise.all(findings)).flat();
}

/** The answer of the first node that has one. @throws the error of the last if none has; a refusal at once */
async function askAny<T>(nodes: Endpoint[], ask: (node: Endpoint) => Promise<T>): Promise<T> {
  let last: unknown;
  for (const node of nodes) {
    try {
      return await ask(node);
    } catch (error) {
      if (error instanceof RedisRefusal) throw error;
      last = error;
    }
  }
  throw last;
}

async function mastersToldBy(redis: Redis, address: RedisAddress): Promise<Endpoint[]> {
  if (infoField(await redis.info('cluster'), 'cluster_enabled') !== '1') {
    throw refuse(address, 'this Redis is no cluster; use redis:// or rediss://');
  }
  const ranges = await redis.cluster('SLOTS');
  const masters = new Map<string, Endpoint>();
  let slots = 0;
  for (const [first, last, [host, port] = []] of ranges) {
    slots += last - first + 1;
    if (host !== undefined && port !== undefined) masters.set(`${host}:${port}`, { host, port });
  }
  if (slots < SLOTS) throw new NotServing(`${SLOTS - slots} of its ${SLOTS} slots have no master`);
  return [...masters.values()];
}

/** Opens a connection for one look. @throws what `look` throws, or why it came to nothing */
async function asking<T>(settings: ProbeSettings, options: Options, look: (redis: Redis) => Promise<T>): Promise<T> {
  const address = addressOf(settings);
  const redis = new Redis({
    ...options,
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
    return await look(redis);
  } catch (error) {
    const cause = reason ?? error;
    throw refusalOf(error, address) ?? refusalOf(cause, address) ?? (await diagnose(cause, address, settings)) ?? cause;
  } finally {
    redis.disconnect();
  }
}

async function examine(redis: Redis, address: RedisAddress, settings: ProbeSettings): Promise<Finding[]> {
  const info = await redis.info();
  const field = (name: string) => infoField(info, name);
  if (field('cluster_enabled') === '1' && address.kind !== 'cluster') {
    throw refuse(address, 'this is a node of a Redis Cluster; use redis+cluster:// with the same hosts');
  }
  const tooOld = settings.onlyLooks === true ? undefined : versionProblem(info);
  if (tooOld) throw refuse(address, `${tooOld.message}; ${tooOld.fix}`);
  if (field('loading') === '1') throw new NotServing('it is loading its data');
  if (field('role') === 'slave') throw new NotServing('it is a replica, which takes no writes');
  // ioredis would go on in database 0.
  if ('db' in address && address.db !== 0) await redis.select(address.db);
  await refuseMissingPermissions(redis, address, settings.onlyLooks === true);
  return reviewRedis(redis, info, address, settings);
}

/** Puts every command into a transaction that is then dropped: Redis checks the permission before it queues. */
async function refuseMissingPermissions(client: Redis, address: RedisAddress, onlyLooks: boolean): Promise<void> {
  const missing: string[] = [];
  for (const key of PROBED_KEYS) {
    const replies = [client.call('MULTI')];
    for (const command of NEEDED_COMMANDS) {
      const [name = '', ...args] = command.split(' ').map((word) => (word === 'KEY' ? key : word));
      replies.push(client.call(name, ...args));
    }
    replies.push(client.call('DISCARD'));
    for (const reply of await Promise.allSettled(replies)) {
      const what = reply.status === 'rejected' ? missingOf(reply.reason, key, onlyLooks) : undefined;
      if (what !== undefined) missing.push(what);
    }
  }
  if (missing.length === 0) return;
  const [most, others] = [missing.slice(0, 5), missing.length - 5];
  const more = others > 0 ? ` and ${others} more` : '';
  throw refuse(address, `the user of Redis lacks permissions; docs/redis.md lists all (${most.join(', ')}${more})`);
}

/** @throws the error if it is not about a permission */
function missingOf(error: unknown, key: string, onlyLooks: boolean): string | undefined {
  // A node of a cluster checks the permission first, then whether the key is its own.
  if (error instanceof Error && error.message.startsWith('MOVED')) return undefined;
  // So does one whose disk or memory is full.
  if (onlyLooks && error instanceof Error && /^(MISCONF|OOM|EXECABORT)/.test(error.message)) return undefined;
  if (!(error instanceof Error && error.message.startsWith('NOPERM'))) throw error;
  const [, command] = /'([^']+)' command/.exec(error.message) ?? [];
  if (command !== undefined) return command;
  return error.message.includes('channel') ? 'channels r:stored:*' : `keys like ${key.replace('probe', '*')}`;
}
