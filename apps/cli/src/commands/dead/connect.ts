import type { DeadLetters, Queues } from '@ruyi/queue';

/** Nothing was started yet, so no letter can be there; any number of lanes will do. */
const NO_PLAN = 1;

/** Works on the dead letters of the installation. @throws as openRedis */
export async function withDeadLetters<T>(
  env: NodeJS.ProcessEnv,
  work: (dead: DeadLetters, redis: Queues['redis']) => Promise<T>,
): Promise<T> {
  const [{ openRedis }, { DeadLetters, openQueues }, { LanePlans, shardsOfInstallation }] = await Promise.all([
    import('../connection.ts'),
    import('@ruyi/queue'),
    import('@ruyi/store'),
  ]);
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
