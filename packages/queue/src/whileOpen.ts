import { setTimeout as delay } from 'node:timers/promises';
import { type LanePlan, LanePlans } from '@ruyi/store';
import { isClosedToAdds } from './bullmqInternals.ts';
import type { Queues } from './queues.ts';

/** Closing lanes takes some milliseconds, unless Redis is slow. */
const PATIENCE_MS = 5000;
const LOOK_EVERY_MS = 20;

/**
 * Adds to the present lanes, and once more if they were closed meanwhile because their number changes. An add that failed for
 * this reason has written nothing.
 */
export async function whileOpen<T>(queues: Queues, add: (plan: LanePlan) => T | Promise<T>): Promise<T> {
  for (;;) {
    const present = queues.present();
    const plan = present instanceof Promise ? await present : present;
    try {
      return await add(plan);
    } catch (error) {
      if (!isClosedToAdds(error) || !(await hasSuccessor(queues, plan))) throw error;
    }
  }
}

/** Whether the lanes of a plan have successors by now. It takes part in the change, so nobody else is needed for it. */
async function hasSuccessor(queues: Queues, { generation }: LanePlan): Promise<boolean> {
  for (let waited = 0; waited < PATIENCE_MS; waited += LOOK_EVERY_MS) {
    const plan = queues.plan.generation > generation ? queues.plan : await queues.advance();
    if (plan.generation > generation) return true;
    // A closed lane without a change: Redis has forgotten the plan, but not that the lane was closed.
    if (plan.next === undefined) await new LanePlans(queues.redis).change(plan, { ...plan, next: plan.lanes });
    await delay(LOOK_EVERY_MS);
  }
  return false;
}
