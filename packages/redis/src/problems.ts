import type { Config } from '@ruyi/config';
import { infoField } from './infoField.ts';

/** What is wrong, in words, and what to do about it. */
export interface Problem {
  message: string;
  fix: string;
}

/** A master: its address, and its answer to INFO. */
export interface NodeInfo {
  node: string;
  info: string;
}

/** What the operator has allowed. */
export type SettingsAllowed = Pick<Config, 'allowNoAof' | 'allowEviction' | 'redisWait'>;

const OLDEST_VERSION = 7;
/** Above this share of maxmemory nothing is written that stays: workers need the rest for what is queued already. */
const MEMORY_SHARE = 0.8;
const MIB = 1024 ** 2;

/** The version of Redis, or the version of Redis that a Valkey is compatible with. */
export function versionProblem(info: string): Problem | undefined {
  const version = infoField(info, 'redis_version') ?? '';
  if (!(Number.parseInt(version, 10) < OLDEST_VERSION)) return undefined;
  return { message: `Redis ${version} is too old`, fix: `use Redis ${OLDEST_VERSION} or newer, or Valkey` };
}

export function evictionProblem(info: string): Problem | undefined {
  const policy = infoField(info, 'maxmemory_policy') ?? 'noeviction';
  if (policy === 'noeviction') return undefined;
  return {
    message: `maxmemory-policy is ${policy}: Redis drops messages when its memory is full`,
    fix: 'set noeviction, or ALLOW_EVICTION=1 if that is intended',
  };
}

export function aofProblem(info: string): Problem | undefined {
  if (infoField(info, 'aof_enabled') !== '0') return undefined;
  return {
    message: 'appendonly is off: Redis may lose messages when it restarts',
    fix: 'set appendonly yes, or ALLOW_NO_AOF=1 if that is intended',
  };
}

export function replicasProblem(info: string, redisWait: number): Problem | undefined {
  const replicas = Number(infoField(info, 'connected_slaves') ?? 0);
  if (replicas >= redisWait) return undefined;
  return {
    message: `REDIS_WAIT=${redisWait}, but it has ${replicas} replicas now: until there are more, writes are answered 503`,
    fix: 'start its replicas, or lower REDIS_WAIT',
  };
}

/** How Redis is set up and should not be. */
export const settingsProblems = (nodes: NodeInfo[], { allowNoAof, allowEviction, redisWait }: SettingsAllowed) =>
  ofEach(nodes, (info) => [
    versionProblem(info),
    allowEviction ? undefined : evictionProblem(info),
    allowNoAof ? undefined : aofProblem(info),
    replicasProblem(info, redisWait),
  ]);

/**
 * Why Redis takes no writes although it answers. It is not asked by PING, which it refuses while its disk is full.
 * @throws Error while it loads its data: then it answers nothing else
 */
export function servingProblems(nodes: NodeInfo[]): Problem[] {
  if (nodes.some(({ info }) => infoField(info, 'loading') === '1')) throw new Error('it is loading its data');
  return ofEach(nodes, (info) => [replicaProblem(info), diskProblem(info)]);
}

function replicaProblem(info: string): Problem | undefined {
  if (infoField(info, 'role') !== 'slave') return undefined;
  return {
    message: 'this Redis has become a replica, which takes no writes',
    fix: 'connect to its master: redis+sentinel:// and redis+cluster:// follow it (docs/redis.md)',
  };
}

function diskProblem(info: string): Problem | undefined {
  const isFailing = (name: string) => infoField(info, name) === 'err';
  const failing = ['aof_last_write_status', 'rdb_last_bgsave_status', 'aof_last_bgrewrite_status'].filter(isFailing);
  if (failing.length === 0) return undefined;
  const isRefusing = isFailing('aof_last_write_status');
  return {
    message: `Redis cannot write to its disk (${failing.join(', ')})${isRefusing ? ' and refuses writes' : ''}`,
    fix: 'free space on the disk of its data, and look into the log of redis-server (of npm start: DATA_DIR/redis)',
  };
}

/** Whether so much of the memory is used that writes are refused. @param memory in bytes; `allowed` 0 without a bound */
export const isNearlyFull = ({ used, allowed }: { used: number; allowed: number }): boolean =>
  allowed > 0 && used > allowed * MEMORY_SHARE;

/** Whether writes are refused with 429 because Redis uses too much of its memory. */
export const memoryProblems = (nodes: NodeInfo[]) => ofEach(nodes, (info) => [memoryProblem(info)]);

function memoryProblem(info: string): Problem | undefined {
  const [used = 0, allowed = 0] = ['used_memory', 'maxmemory'].map((name) => Number(infoField(info, name) ?? 0));
  if (!isNearlyFull({ used, allowed })) return undefined;
  const share = `${Math.ceil(used / MIB)} of ${Math.floor(allowed / MIB)} MiB`;
  return {
    message: `Redis uses ${share}, more than ${MEMORY_SHARE * 100} %: writes are answered 429`,
    fix: 'raise maxmemory (of npm start: REDIS_MAXMEMORY), or keep less (LOG_RETENTION, LOG_MAX_AGE); ruyi memory shows what takes it',
  };
}

/** The problems of all nodes; among several each says whose it is. */
function ofEach(nodes: NodeInfo[], problems: (info: string) => (Problem | undefined)[]): Problem[] {
  return nodes.flatMap(({ node, info }) =>
    problems(info).flatMap((problem) => {
      if (problem === undefined) return [];
      return nodes.length === 1 ? [problem] : [{ ...problem, message: `${node}: ${problem.message}` }];
    }),
  );
}
