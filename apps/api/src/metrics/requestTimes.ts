import { Histogram, type ProcessMetrics } from '@ruyi/telemetry';

/** Upper bounds, in seconds. */
const BUCKETS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 30];

/** Measures requests by the path of their endpoint. @returns what records one request that was answered */
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
