import { LANE_KINDS } from '@ruyi/queue';
import { Gauge, Histogram, type ProcessMetrics, Registry } from '@ruyi/telemetry';
import type { ApiContext } from '../context.ts';

const BUCKETS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 30];

/** Requests by the path of their endpoint. @returns how to note one that is answered */
export function requestTimes({ registry }: ProcessMetrics) {
  const times = new Histogram({
    name: 'ruyi_http_request_seconds',
    help: 'from the head of a request to the end of its answer',
    labelNames: ['method', 'path', 'status'] as const,
    buckets: BUCKETS,
    registers: [registry],
  });
  return (method: string, path: string, status: number, seconds: number) => {
    times.observe({ method, path, status }, seconds);
  };
}

/** The state of the installation, the same whichever API process is asked; measured when it is asked for. */
export async function installationMetrics(context: ApiContext): Promise<Registry> {
  const { backlog, queues, store } = context;
  const registry = new Registry();
  const gauge = (name: string, help: string, labelNames: string[] = []) =>
    new Gauge({ name, help, labelNames, registers: [registry] });
  const waiting = gauge(
    'ruyi_backlog_recipients',
    'approximate number of recipients waiting for a worker; see MAX_BACKLOG',
    ['kind'],
  );
  for (const kind of LANE_KINDS) waiting.set({ kind }, backlog.waiting(kind));
  const isUp = gauge('ruyi_redis_up', '1 where Redis answers');
  isUp.set(0);
  try {
    const [index, dead, memory] = await Promise.all([
      queues.index.getJobCounts('wait', 'active'),
      queues.dead.getJobCounts('failed'),
      store.memory(),
    ]);
    const jobs = gauge('ruyi_index_jobs', 'jobs of the index queue', ['state']);
    for (const [state, count] of Object.entries(index)) jobs.set({ state }, count);
    gauge('ruyi_dead_letters', 'what was set aside, see `ruyi dead list`').set(dead.failed ?? 0);
    gauge('ruyi_redis_memory_bytes', 'used_memory of Redis').set(memory.used);
    gauge('ruyi_redis_memory_max_bytes', 'maxmemory of Redis; 0 is without a bound').set(memory.allowed);
    isUp.set(1);
  } catch (err) {
    context.log.warn({ err }, 'redis was not measured');
  }
  return registry;
}
