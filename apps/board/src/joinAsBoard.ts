import type { Config } from '@ruyi/config';
import { every } from '@ruyi/flow';
import { agreeOnLanes } from '@ruyi/queue';
import { type connect, type Starting, whileStarting } from '@ruyi/redis';
import { joinInstallation, type LanePlan, LanePlans, newMember } from '@ruyi/store';
import { firstFailure, type Logger } from '@ruyi/telemetry';

const PLAN_EVERY_MS = 2000;

interface BoardMembership {
  name: string;
  plan: LanePlan;
  /** Calls `listener` every few seconds with the lanes that there are. */
  onPlan(listener: (plan: LanePlan) => void): void;
  close(): Promise<void>;
}

/**
 * The board joins the installation like any process: `ruyi status` shows it, and it knows when the lanes change.
 * @throws InstallationError, RedisRefusal
 */
export async function joinAsBoard(
  redis: ReturnType<typeof connect>,
  config: Config,
  starting: Starting & { log: Logger },
): Promise<BoardMembership> {
  const onError = firstFailure(starting.log, 'the board cannot say that it lives');
  const self = newMember('board', config.lanes ?? 0);
  const membership = await whileStarting(() => joinInstallation(redis, config, self, onError), starting);
  const { plan } = await whileStarting(() => agreeOnLanes(redis, config.lanes), starting);
  let stop = async () => {};
  return {
    name: 'membership',
    plan,
    onPlan(listener) {
      const look = async () => listener((await new LanePlans(redis).read()) ?? plan);
      stop = every(PLAN_EVERY_MS, look, onError);
    },
    async close() {
      await Promise.allSettled([stop(), membership.leave()]);
    },
  };
}
