import type { Redis } from 'ioredis';

/**
 * Fails the commands that a lost connection leaves without an answer, also those that ioredis put aside for the next one
 * because the socket was gone before anyone was told: they build on what a Redis knew that may have lost its last
 * moments. ioredis would send them, or with `autoResendUnfulfilledCommands: false` and no bound on retries forget those
 * that were sent and never settle.
 */
export function rejectUnanswered(redis: Redis): void {
  const flush: unknown = Reflect.get(redis, 'flushQueue');
  if (typeof flush !== 'function') throw new Error('ioredis has no flushQueue any more');
  let wasReady = false;
  redis.on('ready', () => {
    wasReady = true;
  });
  redis.on('close', () => {
    // What was asked for while there was no connection waits for the next one.
    Reflect.apply(flush, redis, [new Error('Connection is closed.'), { offlineQueue: wasReady }]);
    wasReady = false;
  });
}
