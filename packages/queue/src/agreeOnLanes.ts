import { setTimeout as delay } from 'node:timers/promises';
import type { RedisClient } from '@ruyi/redis';
import { keys, type Member } from '@ruyi/store';
import { unfinishedJobs } from './bullmqInternals.ts';
import { LANE_KINDS } from './names.ts';
import { openQueues } from './queues.ts';

/** A process that was killed counts as a member for 5 s. */
const PATIENCE_MS = 6000;
const LOOK_EVERY_MS = 500;

interface Agreement {
  /** lanes of each kind that this process must work with */
  lanes: number;
  /** a line for the operator if that is another number than the setting */
  warning?: string;
}

/**
 * How many lanes the installation has: a fact in Redis. LANES decides for a new installation, and for one whose lanes are
 * empty while every live process has the same setting. Otherwise what Redis says counts: a log's order depends on its lane,
 * and an API with another number would queue where no worker looks.
 * @param members all live members, as they are now
 */
export async function agreeOnLanes(
  redis: RedisClient,
  wanted: number,
  members: () => Promise<Member[]>,
): Promise<Agreement> {
  await redis.hsetnx(keys.meta, 'lanes', wanted);
  for (let waited = 0; ; waited += LOOK_EVERY_MS) {
    const lanes = Number(await redis.hget(keys.meta, 'lanes'));
    if (lanes === wanted) return { lanes };
    const others = (await members()).filter((member) => member.lanes !== wanted);
    const isFree = await areEmpty(redis, lanes);
    if (isFree && others.length === 0) await redis.hset(keys.meta, 'lanes', wanted);
    else if (!isFree || waited >= PATIENCE_MS) {
      const reason = isFree ? `${others.map(({ name }) => name).join(', ')} run with it` : 'jobs are waiting on them';
      const warning = `LANES=${wanted} is not used: the installation has ${lanes} lanes, and ${reason}; to change it stop the API, let the workers finish, stop everything, then start with LANES=${wanted}`;
      return { lanes, warning };
    } else await delay(LOOK_EVERY_MS);
  }
}

/** The number of lanes of an installation; undefined if nothing was started on it yet. */
export async function lanesOfInstallation(redis: RedisClient): Promise<number | undefined> {
  const lanes = await redis.hget(keys.meta, 'lanes');
  return lanes === null ? undefined : Number(lanes);
}

/**
 * Looks whether a process may serve: Redis answers, and the installation has as many lanes as the process works with.
 * Where there are others, nobody would work what it queues.
 * @param lanes absent for a process that works with no lane
 * @returns a check, which resolves with the reason why not, and rejects while Redis does not answer
 */
export const servingCheck = (redis: RedisClient, lanes?: number) => async (): Promise<string | undefined> => {
  const found = await lanesOfInstallation(redis);
  if (lanes === undefined || found === undefined || found === lanes) return undefined;
  return `this process works with ${lanes} lanes, the installation has ${found}: restart it`;
};

async function areEmpty(redis: RedisClient, lanes: number): Promise<boolean> {
  const queues = openQueues(redis, lanes);
  let jobs = 0;
  for (const kind of LANE_KINDS) {
    for (let lane = 0; lane < lanes; lane++) jobs += await unfinishedJobs(redis, queues.lane(kind, lane));
  }
  await queues.close();
  return jobs === 0;
}
