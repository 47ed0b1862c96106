import { randomBytes } from 'node:crypto';
import { type BroadcastJob, type Chunk, channelName, type GroupCommandJob, type SendItem } from '@ruyi/contracts';
import { type Broadcast, Gate, laneOf, refOf, shardOf } from '@ruyi/store';
import { Batcher } from './batcher.ts';
import { BROADCAST, GROUP_COMMAND, SEND } from './jobs/catalogue.ts';
import type { Queues } from './queues.ts';
import { takeTurns } from './turns.ts';

const MICRO_BATCH = { items: 512, size: 1024 * 1024 };
/** Fewer and larger jobs: each costs API, worker and Redis about as much as five messages. */
const ADDS_IN_FLIGHT = 2;
const CHUNK_RECIPIENTS = 1000;
const CHUNKS_IN_JOB = 2;

/** A broadcast cut into jobs: the same recipients in the same order give the same jobs, whoever cuts them. */
export interface BroadcastPlan {
  ref: string;
  jobs: { lane: number; id: string; data: BroadcastJob }[];
  starts: number[];
  /** position of the first of the uids as they were given */
  firstAt: number;
}

/**
 * Throws where what a job builds on may be gone, so that it must not be queued any more. Called in the moment in which the
 * job is added: what follows goes over the connection that was looked at, or fails with it.
 */
export type Guard = () => void;
const unguarded: Guard = () => {};

interface Entry {
  item: SendItem;
  guard: Guard;
}

/** The ingress' side of the lanes: everything that a job writes is decided before it is added (invariant 1). */
export class Producer {
  /** Names this process in job ids and in what workers publish. */
  readonly name = randomBytes(6).toString('hex');
  readonly #queues: Queues;
  readonly #shards: number;
  readonly #batchers: Batcher<Entry, Map<Entry, unknown>>[];
  #jobs = 0;

  constructor(queues: Queues, shards: number) {
    this.#queues = queues;
    this.#shards = shards;
    const gate = new Gate(ADDS_IN_FLIGHT);
    this.#batchers = Array.from(
      { length: queues.lanes },
      (_, lane) => new Batcher<Entry, Map<Entry, unknown>>(MICRO_BATCH, (items) => this.#addSendJob(lane, items), gate),
    );
  }

  /** @returns those that their guard keeps back, and why */
  async #addSendJob(lane: number, entries: Entry[]): Promise<Map<Entry, unknown>> {
    const refused = new Map<Entry, unknown>();
    for (const entry of entries) {
      try {
        entry.guard();
      } catch (error) {
        refused.set(entry, error);
      }
    }
    const items = entries.filter((entry) => !refused.has(entry)).map(({ item }) => item);
    if (items.length === 0) return refused;
    // An id of our own: an add that is sent twice is one job.
    const jobId = `${this.name}.${++this.#jobs}.${items.length}`;
    await this.#queues.lane('send', lane).add(SEND.name, { items }, { jobId });
    return refused;
  }

  /** Resolves when the message is on its lane's queue. */
  async send(item: SendItem, guard = unguarded): Promise<void> {
    const batcher = this.#batchers[laneOf(shardOf(item.ch, this.#shards), this.#queues.lanes)];
    const entry = { item, guard };
    const refused = await batcher?.add(entry, item.payload.length + 200);
    if (refused?.has(entry)) throw refused.get(entry);
  }

  async groupCommand(job: GroupCommandJob, guard = unguarded): Promise<void> {
    const lane = laneOf(shardOf(job.ch, this.#shards), this.#queues.lanes);
    // Commands to one channel keep their order, whoever sends them.
    const [priority = 1] = await takeTurns(this.#queues.redis, lane, job.ch, 1);
    guard();
    await this.#queues.lane('fanout', lane).add(GROUP_COMMAND.name, job, { jobId: `g${job.ref}.1`, priority });
  }

  /** Adds the jobs of a broadcast, each lane's in order. Adding them again changes nothing: their ids are fixed. */
  async broadcast(plan: BroadcastPlan, guard = unguarded): Promise<void> {
    const lanes = new Set(plan.jobs.map(({ lane }) => lane));
    await Promise.all(
      [...lanes].map(async (lane) => {
        const jobs = plan.jobs.filter((job) => job.lane === lane);
        const turns = await takeTurns(this.#queues.redis, lane, jobs[0]?.data.from ?? '', jobs.length);
        const adds = jobs.map(({ id, data }, i) => ({
          name: BROADCAST.name,
          data,
          opts: { jobId: id, priority: turns[i] ?? 1 },
        }));
        guard();
        await this.#queues.lane('fanout', lane).addBulk(adds);
      }),
    );
  }

  /** Everything added so far is on its queue, or was refused. */
  async drained(): Promise<void> {
    await Promise.all(this.#batchers.map((batcher) => batcher.drained()));
  }
}

/**
 * Sorts recipients by (lane, shard, uid) and gives each its position; cuts them into chunks of at most 1,000 and jobs of
 * two chunks. `uids` holds each recipient once.
 */
export function planBroadcast(
  message: Pick<Broadcast, 'cmd'> & { firstId: number; from: string },
  uids: string[],
  layout: { shards: number; lanes: number },
): BroadcastPlan {
  const ref = refOf(message.firstId);
  const byShard: string[][] = Array.from({ length: layout.shards }, () => []);
  for (const uid of uids) {
    byShard[shardOf(message.cmd ? uid : channelName(1, uid, message.from), layout.shards)]?.push(uid);
  }
  const plan: BroadcastPlan = { ref, jobs: [], starts: [], firstAt: 0 };
  const [firstUid] = uids;
  let position = 0;
  for (let lane = 0; lane < layout.lanes; lane++) {
    const ofLane = byShard.filter((_, shard) => laneOf(shard, layout.lanes) === lane);
    const recipients = ofLane.flatMap((ofShard) => ofShard.sort());
    const chunks: Chunk[] = [];
    const size = Math.ceil(recipients.length / Math.ceil(recipients.length / CHUNK_RECIPIENTS));
    for (let i = 0; i < recipients.length; i += size) {
      const part = recipients.slice(i, i + size);
      const firstIndex = firstUid === undefined ? -1 : part.indexOf(firstUid);
      if (firstIndex >= 0) plan.firstAt = position + firstIndex;
      chunks.push({ chunk: plan.starts.length, start: position, uids: part.join('\n') });
      plan.starts.push(position);
      position += part.length;
    }
    for (let i = 0; i < chunks.length; i += CHUNKS_IN_JOB) {
      const part = chunks.slice(i, i + CHUNKS_IN_JOB);
      const first = part[0]?.start ?? 0;
      const count = (chunks[i + CHUNKS_IN_JOB]?.start ?? position) - first;
      plan.jobs.push({
        lane,
        id: `${ref}.${lane}.${i / CHUNKS_IN_JOB}.${count}`,
        data: { ref, from: message.from, ...(message.cmd ? { cmd: 1 } : {}), chunks: part },
      });
    }
  }
  return plan;
}
