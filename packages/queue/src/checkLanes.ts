import { InstallationError, keys } from '@ruyi/store';
import type { Redis } from 'ioredis';
import { unfinishedJobs } from './bullmqInternals.ts';
import { LANE_KINDS } from './names.ts';
import { limitLanes, openQueues, type Queues } from './queues.ts';

/**
 * Agrees on LANES with the installation and limits every lane to one job at a time. Await it before any worker or producer
 * opens. A log's order depends on its lane, so the number of lanes changes only while no lane holds a job.
 * @throws InstallationError with one line for the operator
 */
export async function prepareLanes(redis: Redis, queues: Queues): Promise<void> {
  const wanted = queues.lanes;
  await redis.hsetnx(keys.meta, 'lanes', wanted);
  const before = Number(await redis.hget(keys.meta, 'lanes'));
  if (before !== wanted) {
    if (!(await areEmpty(redis, before))) {
      throw new InstallationError(
        `LANES=${wanted}: jobs are still waiting on the previous ${before} lanes; stop the API, let the workers finish, then change LANES`,
      );
    }
    await redis.hset(keys.meta, 'lanes', wanted);
  }
  await limitLanes(queues);
}

async function areEmpty(redis: Redis, lanes: number): Promise<boolean> {
  const before = openQueues(redis, lanes);
  let jobs = 0;
  for (const kind of LANE_KINDS) {
    for (let lane = 0; lane < lanes; lane++) {
      jobs += await unfinishedJobs(redis, before.lane(kind, lane));
    }
  }
  await before.close();
  return jobs === 0;
}
