/** The two kinds of lane: a single message never waits behind a broadcast. */
export type LaneKind = 'send' | 'fanout';
export const LANE_KINDS: readonly LaneKind[] = ['send', 'fanout'];

/** A BullMQ queue: its name, and the key prefix whose hash tag keeps all of its keys in one cluster slot. */
export interface QueueName {
  name: string;
  prefix: string;
}

const queueName = (name: string): QueueName => ({ name, prefix: `{r.${name}}` });

/** `send.0`, `fanout.3`: the queue of one lane; lanes are shared out by shard, see laneOf. */
export const laneQueue = (kind: LaneKind, lane: number): QueueName => queueName(`${kind}.${lane}`);

export const INDEX_QUEUE = queueName('index');
export const DEAD_QUEUE = queueName('dead');

/** Every queue of an installation with so many lanes, in the order in which people want to see them. */
export function allQueues(lanes: number): QueueName[] {
  const ofKind = (kind: LaneKind) => Array.from({ length: lanes }, (_, lane) => laneQueue(kind, lane));
  return [...LANE_KINDS.flatMap(ofKind), INDEX_QUEUE, DEAD_QUEUE];
}

/** Queue ids end in `.<n>`, the recipients in the job: the backlog is measured by them without reading jobs. */
export const recipientsInJob = (jobId: string): number => Number(/\.(\d+)$/.exec(jobId)?.[1] ?? 1);
