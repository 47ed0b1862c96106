import { AggregatorRegistry, Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';

export { Counter, Gauge, Histogram, Registry };

/** What one process counts about itself; each series carries the process's name. */
export interface ProcessMetrics {
  /** `worker-1f9a03b2c4d5`: new with every start, as counters begin at 0 with every start */
  process: string;
  registry: Registry;
}

/** @param self the process, named as among the members of the installation */
export function createMetrics(self: { name: string; role: string; version: string; host: string }): ProcessMetrics {
  const registry = new Registry();
  registry.setDefaultLabels({ process: self.name });
  collectDefaultMetrics({ register: registry });
  // The sums of other series, which promtool refuses: a gauge must not be called _total.
  for (const what of ['handles', 'requests', 'resources']) registry.removeSingleMetric(`nodejs_active_${what}_total`);
  const info = new Gauge({
    name: 'ruyi_process_info',
    help: '1 for each process, with what it is',
    labelNames: ['role', 'version', 'host'] as const,
    registers: [registry],
  });
  info.set({ role: self.role, version: self.version, host: self.host }, 1);
  return { process: self.name, registry };
}

/** What `renderMetrics` reads, in any process. */
export async function snapshotOf(registry: Registry): Promise<string> {
  return JSON.stringify(await registry.getMetricsAsJSON());
}

/** Snapshots of many processes as one Prometheus text. */
export async function renderMetrics(snapshots: string[]): Promise<string> {
  return AggregatorRegistry.aggregate(snapshots.map((text) => JSON.parse(text))).metrics();
}
