import type { RedisAddress } from '@ruyi/config';
import type { Redis } from 'ioredis';
import type { RedisClient } from './client.ts';
import { infoField } from './infoField.ts';
import { masterOf, mastersOf, placementOf } from './nodes.ts';
import {
  aofProblem,
  evictionProblem,
  type NodeInfo,
  type Problem,
  replicasProblem,
  type SettingsAllowed,
} from './problems.ts';
import { refuse } from './reasons.ts';
import { settingOf } from './settingOf.ts';

/** What the operator should know of Redis: a line for the log. */
export interface Finding {
  level: 'warn' | 'info';
  line: string;
}

/**
 * What Redis should be set to and is not. INFO tells most of it: managed services forbid CONFIG.
 * @param info the answer to INFO
 * @throws RedisRefusal if Redis drops messages when its memory is full, unless that is allowed
 */
export async function reviewRedis(
  redis: Redis,
  info: string,
  address: RedisAddress,
  { allowNoAof = false, allowEviction = false, redisWait = 0 }: Partial<SettingsAllowed>,
): Promise<Finding[]> {
  const findings: Finding[] = [];
  const eviction = evictionProblem(info);
  if (eviction) {
    if (!allowEviction) throw refuse(address, lineOf(eviction));
    findings.push({ level: 'warn', line: eviction.message });
  }
  const noAof = aofProblem(info);
  if (noAof)
    findings.push(allowNoAof ? { level: 'info', line: noAof.message } : { level: 'warn', line: lineOf(noAof) });
  const replicas = replicasProblem(info, redisWait);
  if (replicas) findings.push({ level: 'warn', line: replicas.message });
  const appendfsync = await settingOf(redis, 'appendfsync');
  if (appendfsync === undefined) {
    findings.push({ level: 'warn', line: 'Redis refuses CONFIG: how often it syncs its AOF to disk is not known' });
  } else if (appendfsync === 'no') {
    const line = 'appendfsync is no: a machine that loses its power loses up to half a minute; set everysec or always';
    findings.push({ level: 'warn', line });
  }
  return findings;
}

const lineOf = ({ message, fix }: Problem) => `${message}; ${fix}`;

/** Memory of each master, in bytes; `allowed` 0 without a bound. A master is named by its address, without any password. */
export async function memoryOfNodes(redis: RedisClient): Promise<{ node: string; used: number; allowed: number }[]> {
  const masters = await mastersOf(redis);
  return Promise.all(
    masters.map(async ({ redis: master }) => ({ node: addressOf(master), ...(await memoryOf(master)) })),
  );
}

/** What each master tells about itself: the answer to INFO. A master is named by its address, without any password. */
export async function infoOfNodes(redis: RedisClient): Promise<NodeInfo[]> {
  const masters = await mastersOf(redis);
  return Promise.all(
    masters.map(async ({ redis: master }) => ({ node: addressOf(master), info: await master.info() })),
  );
}

/** What Redis has run of scripts since it started, on all masters: how many, and the seconds that its one thread took. */
export async function scriptTimes(redis: RedisClient): Promise<{ calls: number; seconds: number }> {
  const masters = await mastersOf(redis);
  const infos = await Promise.all(masters.map((master) => master.redis.info('commandstats')));
  const sum = { calls: 0, seconds: 0 };
  for (const [, calls, microseconds] of infos.join('\n').matchAll(/^cmdstat_eval(?:sha)?:calls=(\d+),usec=(\d+)/gm)) {
    sum.calls += Number(calls);
    sum.seconds += Number(microseconds) / 1e6;
  }
  return sum;
}

const addressOf = ({ options: { path, host, port } }: Redis): string => path ?? `${host}:${port}`;

/**
 * Memory used and allowed, in bytes; `allowed` 0 without a bound. In a cluster that of the fullest master: writes to its
 * slots are refused first, and a broadcast has recipients on every one.
 */
export async function redisMemory(redis: RedisClient): Promise<{ used: number; allowed: number }> {
  const masters = await mastersOf(redis);
  const memories = await Promise.all(masters.map((master) => memoryOf(master.redis)));
  const share = ({ used, allowed }: { used: number; allowed: number }) => (allowed > 0 ? used / allowed : 0);
  return memories.reduce((a, b) => (share(b) > share(a) || (share(b) === share(a) && b.used > a.used) ? b : a));
}

async function memoryOf(redis: Redis): Promise<{ used: number; allowed: number }> {
  const info = await redis.info('memory');
  const field = (name: string) => Number(infoField(info, name) ?? 0);
  return { used: field('used_memory'), allowed: field('maxmemory') };
}

/**
 * Names the run of the server, which ends with its process. A cursor of one run leads nowhere in another: keys stand in an
 * order of its own there. In a cluster: the runs of all masters, and which slots each of them has.
 */
export async function serverRun(redis: RedisClient): Promise<string> {
  const masters = await mastersOf(redis);
  const runs = await Promise.all(
    masters.map(async (master) => infoField(await master.redis.info('server'), 'run_id') ?? ''),
  );
  return [...runs, placementOf(redis)].filter((part) => part !== '').join('-');
}

/** In a cluster the clock of the installation is that of the master of this key. It also knows who is alive (`r:{meta}`). */
const CLOCK_KEY = 'r:{meta}';

/** Seconds by Redis' clock, which is the same for every process. */
export const serverClock = async (redis: RedisClient): Promise<number> => (await serverTime(redis)).seconds;

/** The same with the microseconds of that second. */
export async function serverTime(redis: RedisClient): Promise<{ seconds: number; microseconds: number }> {
  const master = await masterOf(redis, CLOCK_KEY);
  const [seconds, microseconds] = await master.redis.time();
  return { seconds: Number(seconds), microseconds: Number(microseconds) };
}
