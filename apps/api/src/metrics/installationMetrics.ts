import { BROADCAST_STATES } from '@ruyi/contracts';
import { LANE_KINDS, readWork, type Work } from '@ruyi/queue';
import { scriptTimes } from '@ruyi/redis';
import { Counter, Gauge, Registry } from '@ruyi/telemetry';
import type { ApiContext } from '../context.ts';

type MakeGauge = (name: string, help: string, labelNames?: string[]) => Gauge;

/** Measures the state that all processes of the installation share: every API process gives the same answer. */
export async function installationMetrics(context: ApiContext): Promise<Registry> {
  const { backlog } = context;
  const registry = new Registry();
  const gauge: MakeGauge = (name, help, labelNames = []) =>
    new Gauge({ name, help, labelNames, registers: [registry] });
  const waiting = gauge(
    'ruyi_backlog_recipients',
    'approximate number of recipients waiting for a worker; see MAX_BACKLOG',
    ['kind'],
  );
  for (const kind of LANE_KINDS) waiting.set({ kind }, backlog.waiting(kind));
  const health = gauge('ruyi_health', '1 if this check of GET /health finds nothing wrong, 0 if it does', ['check']);
  const isUp = gauge('ruyi_redis_up', '1 if Redis answers');
  isUp.set(0);
  const measured = measure(context, registry, gauge).then(
    () => isUp.set(1),
    (err) => context.log.warn({ err }, 'redis was not measured'),
  );
  for (const [check, { status }] of Object.entries((await context.health()).checks)) {
    // What is not known is neither.
    if (status !== 'unknown') health.set({ check }, status === 'ok' ? 1 : 0);
  }
  await measured;
  return registry;
}

/** What is measured in Redis. */
async function measure({ queues, store }: ApiContext, registry: Registry, gauge: MakeGauge): Promise<void> {
  const [index, work, memory, states, scripts] = await Promise.all([
    queues.index.getJobCounts('wait', 'active'),
    readWork(queues.redis),
    store.memory(),
    store.broadcastList.states(),
    scriptTimes(queues.redis),
  ]);
  const jobs = gauge('ruyi_index_jobs', 'what waits to be indexed, and jobs of the index queue that run', ['state']);
  for (const [state, count] of Object.entries(index)) jobs.set({ state }, count);
  jobs.inc({ state: 'wait' }, work.index.references);
  const broadcasts = gauge('ruyi_broadcasts', 'broadcasts that are listed, by state', ['state']);
  for (const state of BROADCAST_STATES) broadcasts.set({ state }, 0);
  for (const state of states.values()) broadcasts.inc({ state });
  workMetrics(work, gauge);
  gauge('ruyi_redis_memory_bytes', 'used_memory of Redis').set(memory.used);
  gauge('ruyi_redis_memory_max_bytes', 'maxmemory of Redis; 0 means no bound').set(memory.allowed);
  const registers = [registry];
  new Counter({ name: 'ruyi_scripts_total', help: 'Lua scripts that Redis ran since it started', registers }).inc(
    scripts.calls,
  );
  new Counter({
    name: 'ruyi_script_seconds_total',
    help: 'seconds that these took of the one thread of Redis, in a cluster of all masters together',
    registers,
  }).inc(scripts.seconds);
}

/** Who works, and for how long what they are to work has waited. */
function workMetrics({ now, members, lanes = [], index, deadLetters }: Work, gauge: MakeGauge): void {
  gauge('ruyi_dead_letters', 'jobs and parts of jobs that could not be processed, see `ruyi dead list`').set(
    deadLetters,
  );
  gauge('ruyi_workers', 'worker processes that live').set(members.filter(({ role }) => role === 'worker').length);
  const owner = gauge('ruyi_lane_owner', '1 for the worker process of each lane', ['kind', 'lane', 'worker']);
  for (const { kind, lane, worker } of lanes) if (worker !== null) owner.set({ kind, lane: String(lane), worker }, 1);
  const oldest = gauge('ruyi_oldest_waiting_seconds', 'age of the oldest job that is not finished; 0 without one', [
    'kind',
  ]);
  const age = (queues: { oldestAt: number | undefined }[]) =>
    Math.max(0, ...queues.map(({ oldestAt = now }) => (now - oldestAt) / 1000));
  for (const kind of LANE_KINDS) oldest.set({ kind }, age(lanes.filter((lane) => lane.kind === kind)));
  oldest.set({ kind: 'index' }, age([index]));
}
