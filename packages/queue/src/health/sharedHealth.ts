import { type Health, type HealthSources, readHealth } from './readHealth.ts';

/** So many probes and pages, however often they ask, cost at most two readings a second. */
const FRESH_MS = 500;

/** @returns reads the health; who asks while it is being read, or soon after, gets the same reading */
export function sharedHealth(sources: HealthSources): () => Promise<Health> {
  let reading: Promise<Health> | undefined;
  let until = Number.POSITIVE_INFINITY;
  return () => {
    if (reading !== undefined && performance.now() < until) return reading;
    until = Number.POSITIVE_INFINITY;
    reading = readHealth(sources).finally(() => {
      until = performance.now() + FRESH_MS;
    });
    return reading;
  };
}
