import { setTimeout as pause } from 'node:timers/promises';
import { loseTail, watchAof } from '../system/aof.ts';
import type { Fault, FaultContext } from './fault.ts';

const AWAY_MS = { least: 0, most: 3000 };

const setFsync = (context: FaultContext, policy: 'always' | 'everysec') =>
  context.system.redis.client.config('SET', 'appendfsync', policy);

/** kill -9 of a Redis that syncs before it answers, and a start on what it wrote: nothing answered may be missing. */
export const killRedis: Fault = async (context) => {
  const { system, progress, random, count, forMs } = context;
  const until = performance.now() + forMs;
  do {
    await setFsync(context, 'always');
    await pause(random.whole(500, 3000));
    count('redis kills');
    await system.redis.kill('SIGKILL');
    await pause(random.whole(AWAY_MS.least, AWAY_MS.most));
    await system.redis.restart();
    await progress.recovered();
  } while (performance.now() < until);
};

/**
 * What a loss of power leaves of a Redis with `everysec`: it comes back without its last moments. Only what was answered
 * in them may be missing.
 */
export const losePower: Fault = async (context) => {
  const { system, ledger, progress, random, count, forMs } = context;
  const until = performance.now() + forMs;
  do {
    await setFsync(context, 'everysec');
    const aof = watchAof(system.redis);
    await pause(random.whole(2000, 4000));
    await system.redis.kill('SIGKILL');
    const known = await aof.stop();
    // What Redis answered may still be on its way through the API.
    await pause(random.whole(300, 1500));
    const lost = loseTail(known, random);
    count('redis kills');
    count('bytes of the AOF lost', lost.bytes);
    ledger.lossWindows.push({ from: lost.since, to: performance.now() });
    await system.redis.restart();
    await progress.recovered();
  } while (performance.now() < until);
};
