import type { Config } from '@ruyi/config';
import type { Work } from '@ruyi/queue';
import {
  aofProblem,
  evictionProblem,
  infoField,
  isNearlyFull,
  memoryProblems,
  type NodeInfo,
  type Problem,
  type RedisClient,
  replicasProblem,
  reviewListpack,
  serverClock,
  servingProblems,
  settingOfNodes,
  versionProblem,
} from '@ruyi/redis';
import type { runningBroadcasts } from '@ruyi/store';
import { bytes } from '../../terminal/formats.ts';
import { type Finding, fail, ok, warn } from './finding.ts';

/** Redis of one recipient, docs/performance.md. */
const RECIPIENT_BYTES = 137;
const COMMANDS = 20;
const LATENCY = { medianMs: 5, worstMs: 100 };
const CLOCK_SECONDS = 5;
const CLIENTS_SHARE = 0.8;

export interface RedisState {
  nodes: NodeInfo[];
  work: Work;
  running: Awaited<ReturnType<typeof runningBroadcasts>>;
}

/** Everything about Redis that is not about jobs. */
export async function redisFindings(redis: RedisClient, config: Config, state: RedisState): Promise<Finding[]> {
  const { nodes } = state;
  return [
    ...rows('redis', servingProblems(nodes), 'it answers and takes writes'),
    ...nodes.flatMap((node) => settingFindings(node, nodes.length > 1, config)),
    ...(await fsyncFindings(redis)),
    ...rows('listpack', await reviewListpack(redis), 'logs are stored compactly', warn),
    ...memoryFindings(state),
    await latencyFinding(redis),
    await clockFinding(redis),
  ];
}

/** A row for each problem, or one that says that there is none. */
export const rows = (check: string, problems: Problem[], well: string, tell = fail): Finding[] =>
  problems.length === 0 ? [ok(check, well)] : problems.map((problem) => tell(check, problem));

function settingFindings({ node, info }: NodeInfo, isNamed: boolean, config: Config): Finding[] {
  const { allowEviction, allowNoAof, redisWait } = config;
  const named = ({ message, fix }: Problem) => ({ message: isNamed ? `${node}: ${message}` : message, fix });
  const row = (check: string, problem: Problem | undefined, well: string, tell = fail) =>
    problem ? tell(check, named(problem)) : ok(check, isNamed ? `${node}: ${well}` : well);
  const aof = aofProblem(info);
  return [
    row('version', versionProblem(info), `Redis ${infoField(info, 'redis_version')}`),
    row('eviction', evictionProblem(info), 'maxmemory-policy is noeviction', allowEviction ? warn : fail),
    aof && allowNoAof ? ok('aof', 'appendonly is off, as ALLOW_NO_AOF=1 says') : row('aof', aof, 'appendonly is on'),
    ...(redisWait > 0 ? [row('replicas', replicasProblem(info, redisWait), `at least ${redisWait} replicas`)] : []),
    row('connections', connectionsProblem(info), `${infoField(info, 'connected_clients')} connections`, warn),
  ];
}

function connectionsProblem(info: string): Problem | undefined {
  const [connected = 0, most = 0] = ['connected_clients', 'maxclients'].map((name) =>
    Number(infoField(info, name) ?? 0),
  );
  if (most === 0 || connected < most * CLIENTS_SHARE) return undefined;
  return { message: `${connected} of ${most} connections are taken`, fix: 'raise maxclients of Redis' };
}

async function fsyncFindings(redis: RedisClient): Promise<Finding[]> {
  const found = await settingOfNodes(redis, 'appendfsync');
  const problems = found.flatMap((value) => {
    if (value === undefined) {
      const message = 'Redis refuses CONFIG: how often it syncs its AOF to disk is not known';
      return [{ message, fix: 'look it up where Redis is configured: everysec or always' }];
    }
    const message = `appendfsync is ${value}: a machine that loses its power loses up to half a minute`;
    return value === 'no' ? [{ message, fix: 'set everysec or always' }] : [];
  });
  return rows('fsync', problems, `appendfsync is ${found[0]}`, warn);
}

/** Whether what waits, and what the running broadcasts have not queued yet, will fit. */
export function memoryFindings({ nodes, work, running }: RedisState): Finding[] {
  const problems = memoryProblems(nodes);
  if (problems.length > 0) return problems.map((problem) => fail('memory', problem));
  const waiting = (work.lanes ?? []).reduce((sum, { recipients }) => sum + recipients, 0);
  const unsent = running.reduce((sum, one) => sum + one.total - one.stored - one.failed - one.cancelled, 0);
  const need = (Math.max(waiting, unsent) * RECIPIENT_BYTES) / nodes.length;
  return nodes.map(({ node, info }) => {
    const [used = 0, allowed = 0, machine = 0] = ['used_memory', 'maxmemory', 'total_system_memory'].map((name) =>
      Number(infoField(info, name) ?? 0),
    );
    if (allowed === 0) {
      const message = `${node} has no maxmemory: when the machine has no memory left, the system ends it`;
      return warn('memory', { message, fix: 'set maxmemory to at most three quarters of the memory of its machine' });
    }
    const share = `${node} uses ${bytes(used)} of ${bytes(allowed)}`;
    if (isNearlyFull({ used: used + need, allowed })) {
      const message = `${share}, and what waits to be stored needs about ${bytes(need)}: writes will be answered 429`;
      return warn('memory', {
        message,
        fix: 'raise maxmemory (of npm start: REDIS_MAXMEMORY); ruyi memory shows what takes it',
      });
    }
    if (machine > 0 && allowed > machine * 0.75) {
      const message = `maxmemory of ${node} is ${bytes(allowed)} of the ${bytes(machine)} of its machine`;
      return warn('memory', { message, fix: 'leave a quarter free: Redis needs it while it writes its AOF anew' });
    }
    return ok('memory', share);
  });
}

async function latencyFinding(redis: RedisClient): Promise<Finding> {
  const times: number[] = [];
  for (let i = 0; i < COMMANDS; i++) {
    const from = performance.now();
    // A Redis whose disk is full refuses PING.
    await redis.time();
    times.push(performance.now() - from);
  }
  times.sort((a, b) => a - b);
  const [median = 0, worst = 0] = [times[COMMANDS / 2], times[COMMANDS - 1]];
  const message = `a command takes ${median.toFixed(1)} ms, at worst ${worst.toFixed(1)} ms`;
  if (median <= LATENCY.medianMs && worst <= LATENCY.worstMs) return ok('latency', message);
  const fix =
    'bring Redis and Ruyi closer together, and give Redis a core of its own; SLOWLOG GET shows what holds it up';
  return warn('latency', { message, fix });
}

/** The clock of this machine. */
async function clockFinding(redis: RedisClient): Promise<Finding> {
  const ahead = Math.round(Date.now() / 1000 - (await serverClock(redis)));
  if (Math.abs(ahead) <= CLOCK_SECONDS) return ok('clock', 'the clock of this machine is that of Redis');
  const message = `the clock of this machine is ${Math.abs(ahead)} s ${ahead > 0 ? 'ahead of' : 'behind'} that of Redis`;
  return fail('clock', { message, fix: 'set the clocks of all machines by NTP (timedatectl set-ntp true)' });
}

/** What Redis needs of its disk when it writes its AOF anew: the new file stands beside the old one. */
export const rewriteBytes = (nodes: NodeInfo[]): number =>
  nodes.reduce((sum, { info }) => sum + Number(infoField(info, 'used_memory') ?? 0), 0);
