/** The two kinds of lane: a single message never waits behind a broadcast. */
export type LaneKind = 'send' | 'fanout';
export const LANE_KINDS: readonly LaneKind[] = ['send', 'fanout'];

/** A BullMQ queue: its name, and the key prefix whose hash tag keeps all of its keys in one cluster slot. */
export interface QueueName {
  name: string;
  prefix: string;
}

const queueName = (name: string): QueueName => ({ name, prefix: `{r.${name}}` });

/** The queue of one lane, `send.0` or `fanout.3`. laneOf says which shards it serves. */
export const laneQueue = (kind: LaneKind, lane: number): QueueName => queueName(`${kind}.${lane}`);

/** A key of the queue `name`; all of its keys are in one slot. */
export const queueKey = (name: string): string => queueName(name).prefix;

export const INDEX_QUEUE = queueName('index');
export const DEAD_QUEUE = queueName('dead');
/** Broadcasts that need a coordinator. */
export const BROADCASTS_QUEUE = queueName('broadcasts');

/** Every queue of an installation with this many lanes, in the order in which the board shows them. */
export function allQueues(lanes: number): QueueName[] {
  const ofKind = (kind: LaneKind) => Array.from({ length: lanes }, (_, lane) => laneQueue(kind, lane));
  return [...LANE_KINDS.flatMap(ofKind), INDEX_QUEUE, BROADCASTS_QUEUE, DEAD_QUEUE];
}

/** Job ids end in `.<n>`, the number of recipients: so the backlog is measured without reading jobs. */
export const recipientsInJob = (jobId: string): number => Number(/\.(\d+)$/.exec(jobId)?.[1] ?? 1);
