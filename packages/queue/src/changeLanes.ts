import { type LanePlan, type LanePlans, lanesToWork } from '@ruyi/store';
import { clearFinished, closeToAdds, unfinishedJobs } from './bullmqInternals.ts';
import { LANE_KINDS, type LaneKind } from './names.ts';
import { limitLanes, type Queues } from './queues.ts';

/**
 * Begins a change of the number of lanes, unless one is under way. From then on every process that meets it takes it further
 * (advanceLanes), so it ends even if the caller is killed.
 */
export async function beginLaneChange(plans: LanePlans, plan: LanePlan, lanes: number): Promise<void> {
  if (plan.next !== undefined || plan.draining !== undefined || plan.lanes === lanes) return;
  await plans.change(plan, { ...plan, next: lanes });
}

/**
 * Takes the next step of a change of the number of lanes, if there is one (decision 78). Each step may be taken by several
 * processes at once, and again after one of them was killed.
 * @returns the plan as it is now
 */
export async function advanceLanes(plans: LanePlans, queues: Queues, known: LanePlan): Promise<LanePlan> {
  const plan = (await plans.read()) ?? known;
  const after = plan.next !== undefined ? await closeLanes(queues, plan, plan.next) : await drainLanes(queues, plan);
  if (!after) return plan;
  await plans.change(plan, after);
  return (await plans.read()) ?? after;
}

/** No job is added to the next lanes before every present one is closed, so none of them can be overtaken. */
async function closeLanes(queues: Queues, plan: LanePlan, next: number): Promise<LanePlan> {
  const { generation, lanes, first = lanes } = plan;
  await limitLanes(queues, () => [{ generation: generation + 1, lanes: next }]);
  for (const queue of lanesOf(queues, LANE_KINDS, { generation, lanes })) await closeToAdds(queues.redis, queue);
  return { generation: generation + 1, lanes: next, draining: { lanes, kinds: [...LANE_KINDS] }, first };
}

/** A closed lane without jobs stays empty. Once all of a kind are, their successors may be worked. */
async function drainLanes(queues: Queues, plan: LanePlan): Promise<LanePlan | undefined> {
  if (!plan.draining) return undefined;
  const kinds: string[] = [];
  for (const kind of LANE_KINDS.filter((one) => plan.draining?.kinds.includes(one))) {
    const closed = lanesOf(queues, [kind], lanesToWork(plan, kind));
    const counts = await Promise.all(closed.map((queue) => unfinishedJobs(queues.redis, queue)));
    if (counts.some((count) => count > 0)) kinds.push(kind);
    else for (const queue of closed) await clearFinished(queues.redis, queue);
  }
  if (kinds.length === plan.draining.kinds.length) return undefined;
  const { draining, ...settled } = plan;
  return kinds.length === 0 ? settled : { ...settled, draining: { lanes: draining.lanes, kinds } };
}

const lanesOf = (
  queues: Queues,
  kinds: readonly LaneKind[],
  { generation, lanes }: { generation: number; lanes: number },
) => kinds.flatMap((kind) => Array.from({ length: lanes }, (_, lane) => queues.lane(kind, lane, generation)));
