import type { RedisClient } from '@ruyi/redis';
import { LaneMembers, type LanePlan, type Member } from '@ruyi/store';
import { LANE_KINDS, type LaneKind, laneQueue, type QueueName, setsOf } from './names.ts';

/** A lane and the process that works it; null if none does. */
export interface OwnedLane {
  kind: LaneKind;
  lane: number;
  queue: QueueName;
  worker: string | null;
}

/** Who works each lane. @param members that live: a lane whose worker was killed has none until it moves */
export async function laneOwners(redis: RedisClient, plan: LanePlan, members: Member[]): Promise<OwnedLane[]> {
  const living = new Set(members.map(({ name }) => name));
  const sets = LANE_KINDS.flatMap((kind) => setsOf(plan, kind).map((set) => ({ kind, ...set })));
  const owners = await Promise.all(sets.map((set) => new LaneMembers(redis).owners(set)));
  return sets.flatMap(({ kind, generation, lanes }, i) =>
    Array.from({ length: lanes }, (_, lane) => {
      const worker = owners[i]?.get(lane) ?? '';
      return { kind, lane, queue: laneQueue(kind, lane, generation), worker: living.has(worker) ? worker : null };
    }),
  );
}
