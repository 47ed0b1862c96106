import { type RedisClient, type Starting, whileStarting } from '@ruyi/redis';
import { joinInstallation, type Membership, newMember } from '@ruyi/store';
import { agreeOnLanes } from './agreeOnLanes.ts';
import { openQueues } from './openQueues.ts';
import { limitLanes, type Queues } from './queues.ts';
import type { Tracing } from './tracing.ts';

interface Joining {
  role: 'api' | 'worker';
  /** of the process; random by default */
  name?: string;
  settings: { shards: number; lanes?: number | undefined };
  /** a connection that waits while Redis is away */
  redis: RedisClient;
  /** the connection of the queues */
  jobs: RedisClient;
  starting: Starting;
  /** nothing is traced by default */
  tracing?: Tracing | undefined;
  /** told of each sign of life that failed, and how many did in a row */
  onError(error: unknown, inARow: number): void;
}

/**
 * What everybody does before it works with lanes: it joins the installation, takes the number of lanes that the others
 * have, and limits each lane to one job at a time. While Redis cannot serve, each step waits.
 * @throws InstallationError, RedisRefusal
 */
export async function joinLanes(joining: Joining): Promise<{ membership: Membership; queues: Queues }> {
  const { settings, redis, jobs, starting } = joining;
  const self = newMember(joining.role, settings.lanes ?? 0, joining.name);
  const membership = await whileStarting(() => joinInstallation(redis, settings, self, joining.onError), starting);
  const { plan, warning } = await whileStarting(() => agreeOnLanes(redis, settings.lanes), starting);
  if (warning !== undefined) starting.log.warn(warning);
  membership.tell({ lanes: plan.lanes });
  const queues = openQueues(jobs, plan, joining.tracing);
  await whileStarting(() => limitLanes(queues), starting);
  return { membership, queues };
}
