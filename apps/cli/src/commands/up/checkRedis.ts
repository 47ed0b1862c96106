import { setTimeout as pause } from 'node:timers/promises';
import { oneLine, StartError } from '@ruyi/process';
import { connect } from '@ruyi/redis';
import { withoutSecrets } from './banner.ts';

const DEADLINE_MS = 10_000;

/**
 * Makes sure that the Redis at REDIS_URL answers, so that a wrong address is one line and not a minute of waiting.
 * @throws StartError with the reason that Redis or the connection gave
 */
export async function checkRedis(url: string): Promise<void> {
  const redis = connect(url, 'request', 'up');
  let reason = 'no answer';
  // The connection's reason (refused, unknown host, wrong password) says more than that of the waiting command.
  redis.on('error', (error) => {
    reason = oneLine(error) || ('code' in error ? String(error.code) : reason);
  });
  const deadline = performance.now() + DEADLINE_MS;
  try {
    for (;;) {
      try {
        await redis.ping();
        return;
      } catch (error) {
        if (error instanceof Error && error.name === 'ReplyError') reason = oneLine(error);
        const hopeless = /WRONGPASS|NOAUTH|NOPERM|ENOTFOUND|invalid password/.test(reason);
        if (hopeless || performance.now() > deadline) {
          throw new StartError(`REDIS_URL=${withoutSecrets(url)}: Redis does not answer (${reason})`);
        }
      }
      await pause(200);
    }
  } finally {
    redis.disconnect();
  }
}
