import type { RedisClient } from '@ruyi/redis';
import { keys } from '../keys.ts';

/** Workers say every 500 ms that they live. */
const WORKER_SILENT_MS = 3000;
/** Every process renews its report each 5 s, for 30 s. */
const REPORT_FRESH_MS = 30_000 - 6500;

/**
 * Live processes of a version that did not join the members yet: workers among those who share the lanes, and all others
 * by their reports.
 * @param known names of the members
 */
export async function earlierProcesses(redis: RedisClient, known: Set<string>): Promise<string[]> {
  const [[seconds = '0'], scores, reporting] = await Promise.all([
    redis.time(),
    redis.zrange(keys.workers, '0', '-1', 'WITHSCORES'),
    redis.smembers(keys.reports),
  ]);
  const oldest = Number(seconds) * 1000 - WORKER_SILENT_MS;
  const workers = scores.filter((_, i) => i % 2 === 0 && Number(scores[i + 1]) > oldest);
  const lives = await Promise.all(reporting.map((name) => redis.pttl(keys.report(name))));
  const others = reporting.filter((_, i) => (lives[i] ?? 0) > REPORT_FRESH_MS);
  return [...workers, ...others].filter((name) => !known.has(name));
}
