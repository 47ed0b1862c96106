import { DeadLetters, openQueues, type Queues } from '@ruyi/queue';
import { LanePlans, shardsOfInstallation } from '@ruyi/store';
import { openRedis } from '../connection.ts';

/** Nothing was started yet, so no letter can be there; any number of lanes will do. */
const NO_PLAN = 1;

/** Works on the dead letters of the installation. @throws as openRedis */
export async function withDeadLetters<T>(
  env: NodeJS.ProcessEnv,
  work: (dead: DeadLetters, redis: Queues['redis']) => Promise<T>,
): Promise<T> {
  const { config, redis } = await openRedis(env);
  try {
    const plan = await new LanePlans(redis).read();
    const queues = openQueues(redis, plan ?? config.lanes ?? NO_PLAN);
    try {
      return await work(new DeadLetters(queues, await shardsOfInstallation(redis, config)), redis);
    } finally {
      await queues.close();
    }
  } finally {
    redis.disconnect();
  }
}
