import { setTimeout as pause } from 'node:timers/promises';
import { keys } from '@ruyi/store';
import type { Fault } from './fault.ts';

const HOUR_MS = 3_600_000;
const IDS_PER_MS = 2048;

/** The clocks of processes jump back an hour and forward again. So does Redis' clock, compared with the ids that it leased before. */
export const clockBack: Fault = async ({ system, random, forMs, count }) => {
  const until = performance.now() + forMs;
  const [seconds] = await system.redis.client.time();
  await system.redis.client.set(keys.ids, String((Number(seconds) * 1000 + HOUR_MS) * IDS_PER_MS));
  count("jumps of Redis' clock");
  const members = [...system.of('worker'), ...system.of('api'), ...system.of('indexer')];
  do {
    count('clock jumps');
    await members[random.whole(0, members.length - 1)]?.signal('SIGUSR2');
    await pause(random.whole(100, 2000));
  } while (performance.now() < until);
};
