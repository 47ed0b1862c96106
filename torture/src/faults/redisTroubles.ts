import { setTimeout as pause } from 'node:timers/promises';
import { someMaster } from '../system/torturedRedis.ts';
import type { Fault } from './fault.ts';
import { countTakeovers } from './redisDeaths.ts';

const LONGEST_STOP_MS = 30_000;
const SLEEP_S = 5;
const REPLICATION_SHARE = 0.2;

/** SIGSTOP: connections stay open, but nothing answers. It lasts 30 s if the run is long enough. */
export const stopRedis: Fault = async (context) => {
  const { system, random, forMs, count } = context;
  const before = await system.redis.masters();
  const victim = await someMaster(system.redis, random);
  const stopped = Math.min(LONGEST_STOP_MS, forMs);
  count('redis stopped');
  count('seconds stopped', Math.round(stopped / 1000));
  await victim.kill('SIGSTOP');
  await pause(stopped);
  await victim.kill('SIGCONT');
  await system.redis.whole();
  await countTakeovers(context, before);
};

/** DEBUG SLEEP 5: longer than every request's deadline and a job's lock. */
export const sleepRedis: Fault = async (context) => {
  const { system, random, forMs, count } = context;
  const until = performance.now() + forMs;
  do {
    const before = await system.redis.masters();
    const victim = await someMaster(system.redis, random);
    count('sleeps of 5 s');
    await victim.client.debug('SLEEP', SLEEP_S);
    await system.redis.whole();
    await countTakeovers(context, before);
    await pause(random.whole(200, 3000));
  } while (performance.now() < until);
};

/** A master closes every connection of clients, several times a second, and now and then those of its replicas. */
export const killConnections: Fault = async ({ system, random, forMs, count }) => {
  const until = performance.now() + forMs;
  do {
    const { client } = await someMaster(system.redis, random);
    const killed = await client.call('CLIENT', 'KILL', 'TYPE', 'normal');
    count('redis connections killed', Number(killed));
    if (random.next() < REPLICATION_SHARE) await client.call('CLIENT', 'KILL', 'TYPE', 'replica');
    await pause(random.whole(50, 600));
  } while (performance.now() < until);
};

/** A master answers, but refuses to write: out of memory, then read-only. */
export const refuseWrites: Fault = async ({ system, random, forMs, count }) => {
  const until = performance.now() + forMs;
  do {
    const master = await someMaster(system.redis, random);
    count('times out of memory');
    await master.client.config('SET', 'maxmemory', '1mb');
    await pause(random.whole(500, 4000));
    await master.client.config('SET', 'maxmemory', '0');
    await pause(random.whole(1500, 4000));
    count('times read-only');
    const endReadOnly = await system.redis.makeReadOnly(master);
    await pause(random.whole(500, 4000));
    await endReadOnly();
    await pause(random.whole(1500, 4000));
  } while (performance.now() < until);
};
