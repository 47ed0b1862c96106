import { type LanePlan, type LaneSet, lanesToWork } from '@ruyi/store';

/** The two kinds of lane: a single message never waits behind a broadcast. */
export type LaneKind = 'send' | 'fanout';
export const LANE_KINDS: readonly LaneKind[] = ['send', 'fanout'];

/** A BullMQ queue: its name, and the key prefix whose hash tag keeps all of its keys in one cluster slot. */
export interface QueueName {
  name: string;
  prefix: string;
}

const queueName = (name: string): QueueName => ({ name, prefix: `{r.${name}}` });

/**
 * The queue of one lane, `send.0` or `fanout.3`. laneOf says which shards it serves. Lanes of a later generation (lanePlan.ts)
 * have other queues, `send.0.g1`: jobs of two generations never stand in one queue.
 */
export const laneQueue = (kind: LaneKind, lane: number, generation = 0): QueueName =>
  queueName(generation === 0 ? `${kind}.${lane}` : `${kind}.${lane}.g${generation}`);

/** A key of the queue `name`; all of its keys are in one slot. */
export const queueKey = (name: string): string => queueName(name).prefix;

export const INDEX_QUEUE = queueName('index');
export const DEAD_QUEUE = queueName('dead');
/** Broadcasts that need a coordinator. */
export const BROADCASTS_QUEUE = queueName('broadcasts');

/** The queues of these lanes. */
const queuesOf = (kind: LaneKind, { generation, lanes }: LaneSet): QueueName[] =>
  Array.from({ length: lanes }, (_, lane) => laneQueue(kind, lane, generation));

/** Every queue of an installation that may hold jobs, in the order in which the board shows them. */
export function queuesOfPlan(plan: LanePlan): QueueName[] {
  const lanes = LANE_KINDS.flatMap((kind) => setsOf(plan, kind).flatMap((set) => queuesOf(kind, set)));
  return [...lanes, INDEX_QUEUE, BROADCASTS_QUEUE, DEAD_QUEUE];
}

/** The lanes of a kind that may hold jobs: the ones to be worked now, and those that wait for them. */
export function setsOf(plan: LanePlan, kind: LaneKind): LaneSet[] {
  const { generation, lanes } = plan;
  const worked = lanesToWork(plan, kind);
  return worked.generation === generation ? [worked] : [worked, { generation, lanes }];
}

/** Job ids end in `.<n>`, the number of recipients: so the backlog is measured without reading jobs. */
export const recipientsInJob = (jobId: string): number => Number(/\.(\d+)$/.exec(jobId)?.[1] ?? 1);

/** Of each queue BullMQ keeps how many jobs were worked in each minute of a day. It costs a job some microseconds. */
export const METRICS = { maxDataPoints: 1440 };
