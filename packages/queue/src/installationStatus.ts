import type { BroadcastAnswer, StatusAnswer } from '@ruyi/contracts';
import { memoryOfNodes, type RedisClient } from '@ruyi/redis';
import { type LanePlan, LanePlans, type Member, Members, runningBroadcasts } from '@ruyi/store';
import { laneOwners } from './laneOwners.ts';
import type { LaneKind } from './names.ts';
import { readIndex } from './readIndex.ts';
import { type QueueReading, readQueue } from './readQueue.ts';

export type LaneStatus = StatusAnswer['lanes'][number] & { kind: LaneKind };

/** What `ruyi status` shows and GET /status answers. */
export interface InstallationStatus extends StatusAnswer {
  processes: (Omit<Member, 'lanes'> & { lanes: string[] })[];
  lanes: LaneStatus[];
  broadcasts: BroadcastAnswer[];
}

/** The state of an installation, for people. It contains no passwords and no addresses with one. */
export async function installationStatus(redis: RedisClient): Promise<InstallationStatus> {
  const [plan, members, index, memory, broadcasts] = await Promise.all([
    new LanePlans(redis).read(),
    new Members(redis).all(),
    readIndex(redis),
    memoryOfNodes(redis),
    runningBroadcasts(redis),
  ]);
  const lanes = plan ? await laneStatuses(redis, plan, members) : [];
  const sorted = members.toSorted((a, b) => (a.role === b.role ? a.since - b.since : a.role < b.role ? -1 : 1));
  return {
    lanes_of_each_kind: plan?.lanes ?? null,
    lanes_changing_to: plan?.next ?? (plan?.draining ? plan.lanes : null),
    processes: sorted.map((member) => ({
      ...member,
      lanes: lanes.filter(({ worker }) => worker === member.name).map(({ name }) => name),
    })),
    lanes,
    index: statusOf(index),
    broadcasts,
    redis: memory.map(({ node, used, allowed }) => ({ node, memory_bytes: used, memory_max_bytes: allowed })),
  };
}

async function laneStatuses(redis: RedisClient, plan: LanePlan, members: Member[]): Promise<LaneStatus[]> {
  const owners = await laneOwners(redis, plan, members);
  return Promise.all(
    owners.map(async ({ kind, queue, worker }) => {
      return { name: queue.name, kind, worker, ...statusOf(await readQueue(redis, queue)) };
    }),
  );
}

const statusOf = ({ jobs, recipients, oldestAt }: QueueReading): StatusAnswer['index'] => ({
  jobs,
  backlog: recipients,
  oldest_job_at: oldestAt === undefined ? null : Math.floor(oldestAt / 1000),
});
