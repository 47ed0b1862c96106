import type { connect } from '@ruyi/redis';
import type { Logger } from '@ruyi/telemetry';

/** One line when Redis goes away and one when it is back, not one for every attempt. */
export function noteOutages(redis: ReturnType<typeof connect>, log: Logger): void {
  let away = false;
  redis.on('error', (error) => {
    if (!away) log.warn({ reason: error.message }, 'redis does not answer');
    away = true;
  });
  redis.on('ready', () => {
    if (away) log.info('redis answers again');
    away = false;
  });
}
