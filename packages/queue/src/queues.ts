import type { RedisClient } from '@ruyi/redis';
import type { LanePlan } from '@ruyi/store';
import { type JobsOptions, Queue } from 'bullmq';
import { LANE_KINDS, type LaneKind, type QueueName, setsOf } from './names.ts';
import { type Tracing, telemetryOf, untraced } from './tracing.ts';

/** Completed jobs are kept for people who watch the board. 300 kept jobs of 2,000 recipients would be 10 MB per lane. */
const KEPT_COMPLETED = 20;

const JOB_OPTIONS: JobsOptions = { removeOnComplete: KEPT_COMPLETED, removeOnFail: false, attempts: 1 };

/** The producers' side of every queue, over one connection. */
export interface Queues {
  /** @param generation the present one by default */
  lane(kind: LaneKind, lane: number, generation?: number): Queue;
  /** which lanes there are, as last read */
  readonly plan: LanePlan;
  /** the number of lanes of each kind to which jobs are added, as last read */
  readonly lanes: number;
  /** the plan as last read; read again if the connection was lost meanwhile, because Redis may have forgotten a change */
  present(): LanePlan | Promise<LanePlan>;
  /** Reads the plan and takes the next step of a change that is under way (changeLanes.ts). */
  advance(): Promise<LanePlan>;
  index: Queue;
  broadcasts: Queue;
  dead: Queue;
  /** the connection of all of them */
  redis: RedisClient;
  /** of whoever adds to lanes and to the index queue, and works them */
  tracing: Tracing;
  close(): Promise<void>;
}

export function openQueue(connection: RedisClient, { name, prefix }: QueueName, tracing = untraced): Queue {
  const options = { connection, prefix, skipVersionCheck: true, defaultJobOptions: JOB_OPTIONS };
  const queue = new Queue(name, { ...options, ...telemetryOf(tracing) });
  // The commands reject by themselves. Without a listener the emitter would end the process.
  queue.on('error', () => {});
  return queue;
}

/**
 * Allows one job per lane at a time, whichever process works it. A channel's order rests on this, so await it before any
 * worker opens.
 */
export async function limitLanes(queues: Queues, sets = (kind: LaneKind) => setsOf(queues.plan, kind)): Promise<void> {
  for (const kind of LANE_KINDS) {
    for (const { generation, lanes } of sets(kind)) {
      for (let lane = 0; lane < lanes; lane++) await queues.lane(kind, lane, generation).setGlobalConcurrency(1);
    }
  }
}
