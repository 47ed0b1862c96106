import { memoryOfNodes, type RedisClient } from '@ruyi/redis';
import { LaneMembers, type LanePlan, LanePlans, type Member, Members } from '@ruyi/store';
import type { Queue } from 'bullmq';
import { waitingRecipients } from './backlog.ts';
import { oldestAddedAt, unfinishedJobs, waitingJobs } from './bullmqInternals.ts';
import { INDEX_QUEUE, LANE_KINDS, type LaneKind, laneQueue, setsOf } from './names.ts';
import { openQueue } from './queues.ts';

/** What waits on a queue. Times are seconds. */
interface QueueStatus {
  /** that wait or are being worked */
  jobs: number;
  /** recipients that wait, about */
  backlog: number;
  /** when the oldest job was added, about; null if there is none */
  oldest_job_at: number | null;
}

export interface LaneStatus extends QueueStatus {
  name: string;
  kind: LaneKind;
  /** the process that works it; null if none does */
  worker: string | null;
}

/** What `ruyi status` shows and GET /status answers. */
export interface InstallationStatus {
  /** of each kind; null if nothing was started yet */
  lanes_of_each_kind: number | null;
  /** while the number of lanes changes */
  lanes_changing_to: number | null;
  processes: (Omit<Member, 'lanes'> & { lanes: string[] })[];
  lanes: LaneStatus[];
  index: QueueStatus;
  redis: { node: string; memory_bytes: number; memory_max_bytes: number }[];
}

/** Sample of the jobs at each end of a queue among which the oldest one is looked for. */
const SAMPLE = 5;

/** The state of an installation, for people. It contains no passwords and no addresses with one. */
export async function installationStatus(redis: RedisClient): Promise<InstallationStatus> {
  const [plan, members, index, memory] = await Promise.all([
    new LanePlans(redis).read(),
    new Members(redis).all(),
    queueStatus(redis, openQueue(redis, INDEX_QUEUE)),
    memoryOfNodes(redis),
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
    index,
    redis: memory.map(({ node, used, allowed }) => ({ node, memory_bytes: used, memory_max_bytes: allowed })),
  };
}

/** Who works each lane. @param members that live: a lane whose worker was killed has none until it moves */
export async function laneOwners(redis: RedisClient, plan: LanePlan, members: Member[]) {
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

async function laneStatuses(redis: RedisClient, plan: LanePlan, members: Member[]): Promise<LaneStatus[]> {
  const owners = await laneOwners(redis, plan, members);
  return Promise.all(
    owners.map(async ({ kind, queue, worker }) => {
      const status = await queueStatus(redis, openQueue(redis, queue));
      return { name: queue.name, kind, worker, ...status };
    }),
  );
}

async function queueStatus(redis: RedisClient, queue: Queue): Promise<QueueStatus> {
  try {
    const [jobs, backlog, { ids }] = await Promise.all([
      unfinishedJobs(redis, queue),
      waitingRecipients(redis, queue),
      waitingJobs(redis, queue, SAMPLE),
    ]);
    const oldest = await oldestAddedAt(redis, queue, ids);
    return { jobs, backlog, oldest_job_at: oldest === undefined ? null : Math.floor(oldest / 1000) };
  } finally {
    await queue.close();
  }
}
