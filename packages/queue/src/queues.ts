import type { RedisClient } from '@ruyi/redis';
import { type JobsOptions, Queue } from 'bullmq';
import {
  BROADCASTS_QUEUE,
  DEAD_QUEUE,
  INDEX_QUEUE,
  LANE_KINDS,
  type LaneKind,
  laneQueue,
  type QueueName,
} from './names.ts';

/** Completed jobs are kept for people who watch the board. 300 kept jobs of 2,000 recipients would be 10 MB per lane. */
const KEPT_COMPLETED = 20;

const JOB_OPTIONS: JobsOptions = { removeOnComplete: KEPT_COMPLETED, removeOnFail: false, attempts: 1 };

/** The producers' side of every queue, over one connection. */
export interface Queues {
  lane(kind: LaneKind, lane: number): Queue;
  lanes: number;
  index: Queue;
  broadcasts: Queue;
  dead: Queue;
  /** the connection of all of them */
  redis: RedisClient;
  close(): Promise<void>;
}

export function openQueue(connection: RedisClient, { name, prefix }: QueueName): Queue {
  const queue = new Queue(name, { connection, prefix, skipVersionCheck: true, defaultJobOptions: JOB_OPTIONS });
  // The commands reject by themselves. Without a listener the emitter would end the process.
  queue.on('error', () => {});
  return queue;
}

export function openQueues(connection: RedisClient, lanes: number): Queues {
  const byKind = Object.fromEntries(
    LANE_KINDS.map((kind) => [
      kind,
      Array.from({ length: lanes }, (_, lane) => openQueue(connection, laneQueue(kind, lane))),
    ]),
  );
  const index = openQueue(connection, INDEX_QUEUE);
  const broadcasts = openQueue(connection, BROADCASTS_QUEUE);
  const dead = openQueue(connection, DEAD_QUEUE);
  return {
    lanes,
    index,
    broadcasts,
    dead,
    redis: connection,
    lane(kind, lane) {
      const queue = byKind[kind]?.[lane];
      if (!queue) throw new Error(`no lane ${kind}.${lane}`);
      return queue;
    },
    async close() {
      await Promise.all([...Object.values(byKind).flat(), index, broadcasts, dead].map((queue) => queue.close()));
    },
  };
}

/**
 * Allows one job per lane at a time, whichever process works it. A channel's order rests on this, so await it before any
 * worker opens.
 */
export async function limitLanes(queues: Queues): Promise<void> {
  for (const kind of LANE_KINDS) {
    for (let lane = 0; lane < queues.lanes; lane++) await queues.lane(kind, lane).setGlobalConcurrency(1);
  }
}
