import type { Redis } from 'ioredis';

/**
 * Rejects the commands that a lost connection leaves unanswered, also those that ioredis kept for the next connection because
 * the socket was gone before anyone was told. They build on what a Redis knew that may have lost its last moments. ioredis
 * would send them again; with `autoResendUnfulfilledCommands: false` and no bound on retries it would forget those that
 * were sent, and their promises would never settle.
 */
export function rejectUnanswered(redis: Redis): void {
  const flush: unknown = Reflect.get(redis, 'flushQueue');
  if (typeof flush !== 'function') throw new Error('ioredis has no flushQueue any more');
  let wasReady = false;
  redis.on('ready', () => {
    wasReady = true;
  });
  redis.on('close', () => {
    // Commands that were issued while there was no connection wait for the next one.
    Reflect.apply(flush, redis, [new Error('Connection is closed.'), { offlineQueue: wasReady }]);
    wasReady = false;
  });
}
