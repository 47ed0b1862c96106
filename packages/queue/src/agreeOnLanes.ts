import type { RedisClient } from '@ruyi/redis';
import { type LanePlan, LanePlans } from '@ruyi/store';

/** Lanes of each kind of a new installation without LANES. */
const DEFAULT_LANES = 8;

interface Agreement {
  /** the lanes that this process must work with */
  plan: LanePlan;
  /** a line for the operator if LANES says something else */
  warning?: string;
}

/**
 * How many lanes the installation has: a fact in Redis. LANES decides for a new installation only, because the order of a log
 * depends on its lane, and an API with another number would queue where no worker looks.
 * @param wanted LANES; undefined if it is not set
 */
export async function agreeOnLanes(redis: RedisClient, wanted: number | undefined): Promise<Agreement> {
  const plan = await new LanePlans(redis).decide(wanted ?? DEFAULT_LANES);
  const lanes = plan.next ?? plan.lanes;
  if (wanted === undefined || wanted === lanes) return { plan };
  const warning = `LANES=${wanted} is not used: the installation has ${lanes} lanes of each kind; \`ruyi lanes ${wanted}\` changes it, and LANES can be unset`;
  return { plan, warning };
}

/**
 * Looks whether a process may serve: Redis answers. The number of lanes is none of its reasons, because every process follows
 * a change of it.
 * @returns a check, which rejects while Redis does not answer
 */
export const servingCheck = (redis: RedisClient) => async (): Promise<undefined> => void (await redis.ping());
