import { setTimeout as delay } from 'node:timers/promises';
import type { HealthAnswer, HealthCheck, HealthChecks } from '@ruyi/contracts';
import {
  infoOfNodes,
  memoryProblems,
  type Problem,
  type RedisClient,
  type SettingsAllowed,
  servingProblems,
  settingsProblems,
  shortReason,
} from '@ruyi/redis';
import type { LaneKind } from '../names.ts';
import { readWork } from './readWork.ts';
import { problemsOfWork } from './workProblems.ts';

/** The answer is due within 1 s, whatever is running (docs/api.md §3). */
const CHECK_MS = 900;

const LATE = `no answer within ${CHECK_MS / 1000} s`;

/** A server that hangs answers nobody, and says nothing either. */
const SLOW_ENGINE: Problem = {
  message: `the search engine gives ${LATE}: searches wait, and may fail`,
  fix: 'look at the load and the log of Meilisearch (MEILI_URL), and restart it if it does not answer at all',
};

/** What is looked at. */
export interface HealthSources {
  /** a connection whose commands fail if Redis does not answer */
  redis: RedisClient;
  /** why searches fail; undefined if they do not */
  search(): Promise<Problem | undefined>;
  settings: SettingsAllowed & { maxBacklog: Record<LaneKind, number> };
}

export type Health = Required<HealthAnswer>;

/**
 * Looks once at all that GET /health, /metrics, `npm start` and `ruyi doctor` tell about the installation. Never rejects, and
 * takes at most a second: what does not answer by then is not known.
 */
export async function readHealth({ redis, search, settings }: HealthSources): Promise<Health> {
  const end = new AbortController();
  const late = delay(CHECK_MS, 'late' as const, { signal: end.signal, ref: false }).catch(() => 'late' as const);
  const nodes = infoOfNodes(redis);
  const work = readWork(redis).then((found) => problemsOfWork(found, settings.maxBacklog));
  const check = (problems: Promise<Problem[]>, ifLate = unknown(LATE)) =>
    Promise.race([problems, late]).then(
      (found) => (found === 'late' ? ifLate : checkOf(found)),
      (error) => unknown(shortReason(error)),
    );
  const started = {
    redis: check(nodes.then(servingProblems)),
    clocks: check(work.then(({ clocks }) => clocks)),
    redis_settings: check(nodes.then((infos) => settingsProblems(infos, settings))),
    memory: check(nodes.then(memoryProblems)),
    workers: check(work.then(({ workers }) => workers)),
    lanes: check(work.then(({ lanes }) => lanes)),
    indexer: check(work.then(({ indexer }) => indexer)),
    search: check(
      search().then((problem) => (problem ? [problem] : [])),
      checkOf([SLOW_ENGINE]),
    ),
    backlog: check(work.then(({ backlog }) => backlog)),
    dead_letters: check(work.then((found) => found.dead_letters)),
  };
  const redisServes = await started.redis;
  const isRefusing = redisServes.status === 'degraded';
  const checks: HealthChecks = {
    redis: both(redisServes, await started.clocks),
    redis_settings: await started.redis_settings,
    memory: await started.memory,
    workers: isRefusing ? SILENT : await started.workers,
    lanes: isRefusing ? SILENT : await started.lanes,
    indexer: isRefusing ? SILENT : await started.indexer,
    search: await started.search,
    backlog: await started.backlog,
    dead_letters: await started.dead_letters,
  };
  end.abort();
  return checks.redis.status === 'unknown' ? withoutRedis(checks) : { status: worstOf(checks), checks };
}

const unknown = (reason: string): HealthCheck => ({ status: 'unknown', message: `cannot be looked at: ${reason}` });

const checkOf = (problems: Problem[]): HealthCheck =>
  problems.length === 0
    ? { status: 'ok' }
    : {
        status: 'degraded',
        message: problems.map(({ message }) => message).join('; '),
        fix: [...new Set(problems.map(({ fix }) => fix))].join('; '),
      };

/** Two checks under one name. What cannot be looked at hides the second one. */
function both(first: HealthCheck, second: HealthCheck): HealthCheck {
  if (first.status === 'unknown' || second.status !== 'degraded') return first;
  if (first.status === 'ok') return second;
  return { ...first, message: `${first.message}; ${second.message}`, fix: `${first.fix}; ${second.fix}` };
}

const worstOf = (checks: HealthChecks): Health['status'] =>
  Object.values(checks).every(({ status }) => status === 'ok') ? 'ok' : 'degraded';

/** While Redis takes no writes, no process can say that it lives. */
const SILENT: HealthCheck = { status: 'unknown', message: 'not known while Redis takes no writes' };

/** While Redis does not answer, only the engine can be looked at. */
function withoutRedis({ redis, search }: HealthChecks): Health {
  const reason = redis.message?.replace(/^cannot be looked at: /, '');
  const down: HealthCheck = {
    status: 'down',
    message: `Redis does not answer: ${reason}`,
    fix: 'start it, or correct REDIS_URL; its own log says why it ended',
  };
  const hidden: HealthCheck = { status: 'unknown', message: 'not known while Redis does not answer' };
  const others = { redis_settings: hidden, memory: hidden, workers: hidden, lanes: hidden, indexer: hidden };
  return { status: 'down', checks: { redis: down, ...others, search, backlog: hidden, dead_letters: hidden } };
}
