import { setTimeout as pause } from 'node:timers/promises';
import type { Fault } from './fault.ts';

/** Job locks last 3 s. A worker that is frozen for longer wakes as a zombie whose jobs others have done. */
const FROZEN_MS = { least: 3500, most: 8000 };

/** Repeatedly stops one worker (SIGSTOP) for longer than its locks last, and lets it continue (SIGCONT). */
export const freezeWorker: Fault = async ({ system, random, forMs, count }) => {
  const until = performance.now() + forMs;
  const workers = system.of('worker');
  do {
    const worker = workers[random.whole(0, workers.length - 1)];
    count('workers frozen');
    await worker?.signal('SIGSTOP');
    await pause(random.whole(FROZEN_MS.least, FROZEN_MS.most));
    await worker?.signal('SIGCONT');
    await pause(random.whole(500, 3000));
  } while (performance.now() < until);
};

/** Freezes all of them at once: nobody takes the jobs over, and every lock is lost when they wake. */
export const freezeAll: Fault = async ({ system, random, forMs, count }) => {
  const until = performance.now() + forMs;
  const members = [...system.of('worker'), ...system.of('api'), ...system.of('indexer')];
  do {
    count('freezes of everything');
    for (const member of members) await member.signal('SIGSTOP');
    await pause(random.whole(FROZEN_MS.least, FROZEN_MS.most));
    for (const member of members) await member.signal('SIGCONT');
    await pause(random.whole(2000, 4000));
  } while (performance.now() < until);
};
