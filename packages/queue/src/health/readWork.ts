import { type RedisClient, serverClock } from '@ruyi/redis';
import { LanePlans, type Member, Members } from '@ruyi/store';
import { failedJobs, queueKeys } from '../bullmqInternals.ts';
import { laneOwners, type OwnedLane } from '../laneOwners.ts';
import { DEAD_QUEUE } from '../names.ts';
import { type IndexReading, readIndex } from '../readIndex.ts';
import { type QueueReading, readQueue } from '../readQueue.ts';

/** Who lives, what waits, and who works it. */
export interface Work {
  /** by Redis' clock, in milliseconds */
  now: number;
  members: Member[];
  /** undefined if nothing was started on this installation yet */
  lanes: (OwnedLane & QueueReading)[] | undefined;
  index: IndexReading;
  deadLetters: number;
}

export async function readWork(redis: RedisClient): Promise<Work> {
  const [seconds, plan, members, index, deadLetters] = await Promise.all([
    serverClock(redis),
    new LanePlans(redis).read(),
    new Members(redis).all(),
    readIndex(redis),
    failedJobs(redis, queueKeys(DEAD_QUEUE)),
  ]);
  const owned = plan ? await laneOwners(redis, plan, members) : undefined;
  const lanes =
    owned && (await Promise.all(owned.map(async (lane) => ({ ...lane, ...(await readQueue(redis, lane.queue)) }))));
  return { now: seconds * 1000, members, lanes, index, deadLetters };
}
