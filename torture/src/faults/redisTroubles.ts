import { setTimeout as pause } from 'node:timers/promises';
import type { Fault } from './fault.ts';

const LONGEST_STOP_MS = 30_000;
const SLEEP_S = 5;
const NOBODY = 1;

/** SIGSTOP: connections stay open, but nothing answers. It lasts 30 s if the run is long enough. */
export const stopRedis: Fault = async ({ system, forMs, count }) => {
  const { redis } = system;
  const stopped = Math.min(LONGEST_STOP_MS, forMs);
  count('redis stopped');
  count('seconds stopped', Math.round(stopped / 1000));
  await redis.kill('SIGSTOP');
  await pause(stopped);
  await redis.kill('SIGCONT');
};

/** DEBUG SLEEP 5: longer than every request's deadline and a job's lock. */
export const sleepRedis: Fault = async ({ system, random, forMs, count }) => {
  const until = performance.now() + forMs;
  do {
    count('sleeps of 5 s');
    await system.redis.client.debug('SLEEP', SLEEP_S);
    await pause(random.whole(200, 3000));
  } while (performance.now() < until);
};

/** Redis closes every connection, several times a second. */
export const killConnections: Fault = async ({ system, random, forMs, count }) => {
  const until = performance.now() + forMs;
  do {
    const killed = await system.redis.client.call('CLIENT', 'KILL', 'TYPE', 'normal');
    count('redis connections killed', Number(killed));
    await pause(random.whole(50, 600));
  } while (performance.now() < until);
};

/** Redis answers, but refuses to write: out of memory, then read-only. */
export const refuseWrites: Fault = async ({ system, random, forMs, count }) => {
  const until = performance.now() + forMs;
  const { client } = system.redis;
  do {
    count('times out of memory');
    await client.config('SET', 'maxmemory', '1mb');
    await pause(random.whole(500, 4000));
    await client.config('SET', 'maxmemory', '0');
    await pause(random.whole(1500, 4000));
    count('times read-only');
    await client.replicaof('127.0.0.1', NOBODY);
    await pause(random.whole(500, 4000));
    await client.replicaof('NO', 'ONE');
    await pause(random.whole(1500, 4000));
  } while (performance.now() < until);
};
