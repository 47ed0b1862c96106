import { BROADCAST_STATES } from '@ruyi/contracts';
import { LANE_KINDS, laneOwners } from '@ruyi/queue';
import { Gauge, Registry } from '@ruyi/telemetry';
import type { ApiContext } from '../context.ts';

type MakeGauge = (name: string, help: string, labelNames?: string[]) => Gauge;

/** Measures the state that all processes of the installation share: every API process gives the same answer. */
export async function installationMetrics(context: ApiContext): Promise<Registry> {
  const { backlog, queues, store } = context;
  const registry = new Registry();
  const gauge: MakeGauge = (name, help, labelNames = []) =>
    new Gauge({ name, help, labelNames, registers: [registry] });
  const waiting = gauge(
    'ruyi_backlog_recipients',
    'approximate number of recipients waiting for a worker; see MAX_BACKLOG',
    ['kind'],
  );
  for (const kind of LANE_KINDS) waiting.set({ kind }, backlog.waiting(kind));
  const isUp = gauge('ruyi_redis_up', '1 if Redis answers');
  isUp.set(0);
  try {
    const [index, dead, memory] = await Promise.all([
      queues.index.getJobCounts('wait', 'active'),
      queues.dead.getJobCounts('failed'),
      store.memory(),
    ]);
    await laneMetrics(context, gauge);
    const jobs = gauge('ruyi_index_jobs', 'jobs of the index queue', ['state']);
    for (const [state, count] of Object.entries(index)) jobs.set({ state }, count);
    const broadcasts = gauge('ruyi_broadcasts', 'broadcasts that are listed, by state', ['state']);
    for (const state of BROADCAST_STATES) broadcasts.set({ state }, 0);
    for (const state of (await store.broadcastList.states()).values()) broadcasts.inc({ state });
    gauge('ruyi_dead_letters', 'jobs and parts of jobs that could not be processed, see `ruyi dead list`').set(
      dead.failed ?? 0,
    );
    gauge('ruyi_redis_memory_bytes', 'used_memory of Redis').set(memory.used);
    gauge('ruyi_redis_memory_max_bytes', 'maxmemory of Redis; 0 means no bound').set(memory.allowed);
    isUp.set(1);
  } catch (err) {
    context.log.warn({ err }, 'redis was not measured');
  }
  return registry;
}

/** Who works which lane, so that a graph shows when lanes move. */
async function laneMetrics({ queues, store }: ApiContext, gauge: MakeGauge): Promise<void> {
  const owner = gauge('ruyi_lane_owner', '1 for the worker process of each lane', ['kind', 'lane', 'worker']);
  for (const { kind, lane, worker } of await laneOwners(queues.redis, queues.plan, await store.members.all())) {
    if (worker !== null) owner.set({ kind, lane: String(lane), worker }, 1);
  }
}
