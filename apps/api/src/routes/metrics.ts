import { renderMetrics, snapshotOf } from '@ruyi/telemetry';
import type { Route } from '../http/route.ts';
import { installationMetrics } from '../metrics/installationMetrics.ts';

/** What every process of the installation counts, and the state that they share: one API process tells it all. */
export const metrics: Route = {
  method: 'GET',
  path: '/metrics',
  async handle(context) {
    const { store, metrics: own, log } = context;
    const reports = await store.reports.all().catch((err: unknown) => {
      log.warn({ err }, 'metrics of other processes were not read');
      return new Map<string, string>();
    });
    reports.set(own.process, await snapshotOf(own.registry));
    const shared = await snapshotOf(await installationMetrics(context));
    return { body: await renderMetrics([shared, ...reports.values()]) };
  },
};
