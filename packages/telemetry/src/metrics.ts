import { randomBytes } from 'node:crypto';
import { AggregatorRegistry, Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';

export { Counter, Gauge, Histogram, Registry };

/** What one process counts about itself; each series carries the process's name. */
export interface ProcessMetrics {
  /** `worker-1f9a03`: new with every start, as counters begin at 0 with every start */
  process: string;
  registry: Registry;
}

export function createMetrics(service: string): ProcessMetrics {
  const registry = new Registry();
  const process = `${service}-${randomBytes(3).toString('hex')}`;
  registry.setDefaultLabels({ process });
  collectDefaultMetrics({ register: registry });
  return { process, registry };
}

/** What `renderMetrics` reads, in any process. */
export async function snapshotOf(registry: Registry): Promise<string> {
  return JSON.stringify(await registry.getMetricsAsJSON());
}

/** Snapshots of many processes as one Prometheus text. */
export async function renderMetrics(snapshots: string[]): Promise<string> {
  return AggregatorRegistry.aggregate(snapshots.map((text) => JSON.parse(text))).metrics();
}
