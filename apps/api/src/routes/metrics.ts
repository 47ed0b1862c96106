import { renderMetrics, snapshotOf } from '@ruyi/telemetry';
import type { Route } from '../http/route.ts';
import { installationMetrics } from '../metrics/installationMetrics.ts';

/** The metrics of all processes of the installation and their common state. Every API process gives the same answer. */
export const metrics: Route = {
  method: 'GET',
  path: '/metrics',
  operation: 'metrics',
  summary: 'The metrics of all processes',
  answer: { types: ['text/plain'], about: 'in the format of Prometheus' },
  async handle(context) {
    const { store, metrics: thisProcess, log } = context;
    const reports = await store.reports.all().catch((err: unknown) => {
      log.warn({ err }, 'metrics of other processes were not read');
      return new Map<string, string>();
    });
    reports.set(thisProcess.process, await snapshotOf(thisProcess.registry));
    const shared = await snapshotOf(await installationMetrics(context));
    return { body: await renderMetrics([shared, ...reports.values()]) };
  },
};
