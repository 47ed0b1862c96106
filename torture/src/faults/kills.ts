import { setTimeout as pause } from 'node:timers/promises';
import type { Role } from '../system/member.ts';
import type { Fault, FaultContext } from './fault.ts';

/** Repeatedly kills one process of a kind (kill -9); each is restarted at once. */
async function killOneByOne(context: FaultContext, role: Role, everyMs: number, forMs: number): Promise<void> {
  const { system, random, count } = context;
  const until = performance.now() + forMs;
  const restarts: Promise<void>[] = [];
  while (performance.now() < until) {
    await pause(random.whole(everyMs / 2, everyMs * 1.5));
    // A process that is still starting does nothing that a kill could interrupt.
    const victims = system.of(role).filter(({ isReady }) => isReady);
    const victim = victims[random.whole(0, Math.max(0, victims.length - 1))];
    if (!victim) continue;
    count(`${role} kills`);
    restarts.push(victim.kill());
  }
  await Promise.all(restarts);
}

/** Kills all processes of some kinds at the same moment. @returns ms until every lane stores messages again */
async function killTogether({ system, progress, count }: FaultContext, roles: Role[]): Promise<number> {
  const victims = roles.flatMap((role) => system.of(role));
  for (const { role } of victims) count(`${role} kills`);
  const restarted = victims.map((victim) => victim.kill());
  const ms = await progress.recovered();
  await Promise.all(restarted);
  return ms;
}

export const killWorkers: Fault = async (context) => {
  await killOneByOne(context, 'worker', 600, context.forMs * 0.7);
  await context.system.allReady();
  context.noteRecovery(await killTogether(context, ['worker']));
};

export const killApi: Fault = (context) => killOneByOne(context, 'api', 600, context.forMs);

export const killIndexer: Fault = (context) => killOneByOne(context, 'indexer', 800, context.forMs);

export const killAll: Fault = async (context) => {
  const until = performance.now() + context.forMs;
  do {
    await killTogether(context, ['api', 'worker', 'indexer']);
    await context.system.allReady();
    await pause(context.random.whole(0, 3000));
  } while (performance.now() < until);
};
