import type { RedisClient } from '@ruyi/redis';
import type { BodyTimes } from '../sweep/bodyTimes.ts';

/**
 * The share of a log's messages that were sent before a moment, in seconds: an estimate by its oldest and newest message, as
 * if as many were sent in every second between them.
 */
export async function shareOlderThan(
  redis: RedisClient,
  times: BodyTimes,
  log: string,
  moment: number,
): Promise<number> {
  const [[oldest], [newest]] = await Promise.all([redis.zrange(log, '0', '0'), redis.zrange(log, '-1', '-1')]);
  const from = oldest === undefined ? undefined : await times.sentAt(oldest);
  const to = newest === undefined ? undefined : await times.sentAt(newest);
  if (from === undefined || to === undefined || from > moment) return 0;
  if (to <= moment) return 1;
  return (moment - from) / (to - from);
}
