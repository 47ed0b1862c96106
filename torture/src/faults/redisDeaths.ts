import { setTimeout as pause } from 'node:timers/promises';
import { loseTail, watchAof } from '../system/aof.ts';
import type { Fault, FaultContext } from './fault.ts';

const AWAY_MS = { least: 0, most: 3000 };

const setFsync = (context: FaultContext, policy: 'always' | 'everysec') =>
  context.system.redis.client.config('SET', 'appendfsync', policy);

/** Kills a Redis that syncs before it answers (kill -9) and restarts it on its AOF: nothing that was answered may be missing. */
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
 * Simulates a power failure of a Redis with `everysec`: it restarts without its last moments. Only what was answered during
 * them may be missing.
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
    // An answer of Redis may still be on its way through the API.
    await pause(random.whole(300, 1500));
    const lost = loseTail(known, random);
    count('redis kills');
    count('bytes of the AOF lost', lost.bytes);
    ledger.lossWindows.push({ from: lost.since, to: performance.now() });
    await system.redis.restart();
    await progress.recovered();
  } while (performance.now() < until);
};
