import { randomBytes } from 'node:crypto';
import type { SendItem } from '@ruyi/contracts';
import { Batcher, Gate, groupBy, inTurn } from '@ruyi/flow';
import { type LanePlan, laneOf, shardNumber } from '@ruyi/store';
import { takeTurns } from './fairTurns.ts';
import { BROADCAST, type BroadcastJob, GROUP_COMMAND, type GroupCommandJob, SEND } from './jobs.ts';
import { laneQueue, recipientsInJob } from './names.ts';
import type { BroadcastPlan } from './planBroadcast.ts';
import type { Queues } from './queues.ts';
import { whileOpen } from './whileOpen.ts';

const MICRO_BATCH = { items: 512, size: 1024 * 1024 };
/** Few adds at once make fewer and larger jobs. A job costs API, worker and Redis about as much as five messages. */
const ADDS_IN_FLIGHT = 2;

/**
 * Throws if what a job builds on may be gone, so that it must not be queued. It is called in the same turn in which the job is
 * added: the add goes over the connection that was just checked, or fails with it.
 */
export type Guard = () => void;
const unguarded: Guard = () => {};

interface Entry {
  item: SendItem;
  guard: Guard;
  /** the request's place in its trace */
  caller: unknown;
}

type SendBatcher = Batcher<Entry, Map<Entry, unknown>>;

/** A lane of one kind, and the generation of lanes that it belongs to. */
export interface LaneOfPlan {
  lane: number;
  generation: number;
}

/** The API's side of the lanes. Everything that a job writes is decided before it is added (invariant 1). */
export class Producer {
  /** Names this process in job ids and in what workers publish. */
  readonly name = randomBytes(6).toString('hex');
  readonly #queues: Queues;
  readonly #shards: number;
  readonly #gate = new Gate(ADDS_IN_FLIGHT);
  /** one per lane of a generation */
  #batchers: { generation: number; lanes: SendBatcher[] } = { generation: -1, lanes: [] };
  readonly #confirm: ((keys: string[]) => Promise<void>) | undefined;
  #jobs = 0;

  /** @param confirm resolves once what was written under these keys is safe; by default it is once it is written */
  constructor(queues: Queues, shards: number, confirm?: (keys: string[]) => Promise<void>) {
    this.#confirm = confirm;
    this.#queues = queues;
    this.#shards = shards;
  }

  #batcher({ generation, lanes }: LanePlan, shard: number): SendBatcher | undefined {
    if (this.#batchers.generation !== generation) {
      const open = (_: unknown, lane: number): SendBatcher =>
        new Batcher(MICRO_BATCH, (entries) => this.#addSendJob({ lane, generation }, entries), this.#gate);
      this.#batchers = { generation, lanes: Array.from({ length: lanes }, open) };
    }
    return this.#batchers.lanes[laneOf(shard, lanes)];
  }

  /** @returns the entries that their guard keeps back, and why */
  async #addSendJob({ lane, generation }: LaneOfPlan, entries: Entry[]): Promise<Map<Entry, unknown>> {
    const refused = new Map<Entry, unknown>();
    for (const entry of entries) {
      try {
        entry.guard();
      } catch (error) {
        refused.set(entry, error);
      }
    }
    const kept = entries.filter((entry) => !refused.has(entry));
    if (kept.length === 0) return refused;
    const items = kept.map(({ item }) => item);
    // With an id chosen here, an add that is sent twice is one job.
    const jobId = `${this.name}.${++this.#jobs}.${items.length}`;
    const callers = kept.map(({ caller }) => caller);
    const queue = this.#queues.lane('send', lane, generation);
    await this.#queues.tracing.join(callers, () => queue.add(SEND.name, { items }, { jobId }));
    return refused;
  }

  /** Resolves when the message is on its lane's queue. */
  async send(item: SendItem, guard = unguarded): Promise<void> {
    const entry = { item, guard, caller: this.#queues.tracing.here() };
    const shard = shardNumber(item.ch, this.#shards);
    const size = item.payload.length + 200;
    let used = this.#queues.plan;
    const refused = await whileOpen(this.#queues, (plan) => {
      used = plan;
      return this.#batcher(plan, shard)?.add(entry, size);
    });
    if (refused?.has(entry)) throw refused.get(entry);
    await this.#confirm?.([laneQueue('send', laneOf(shard, used.lanes), used.generation).prefix]);
  }

  /** @param recipients for the backlog; part of the job's id, so it must be the same when the job is added again */
  async groupCommand(job: GroupCommandJob, guard = unguarded, recipients = 1): Promise<void> {
    const shard = shardNumber(job.ch, this.#shards);
    const jobId = `g${job.ref}.${recipients}`;
    await whileOpen(this.#queues, async ({ generation, lanes }) => {
      const lane = laneOf(shard, lanes);
      // Commands to one channel keep their order, whoever sends them.
      const [priority = 1] = await takeTurns(this.#queues.redis, { lane, generation }, job.ch, 1);
      guard();
      await this.#queues.lane('fanout', lane, generation).add(GROUP_COMMAND.name, job, { jobId, priority });
      await this.#confirm?.([laneQueue('fanout', lane, generation).prefix]);
    });
  }

  /**
   * Adds the jobs of a broadcast, each lane's in order. Adding them again changes nothing: their ids are fixed.
   * @returns false if the number of lanes has changed since the broadcast was cut into jobs, so that some of them stand on a
   * lane that is not that of all of their logs. What is sent later may overtake those
   */
  async broadcast(plan: BroadcastPlan, guard = unguarded): Promise<boolean> {
    const added = await Promise.all(
      [...groupBy(plan.jobs, ({ lane }) => lane)].map(([lane, jobs]) =>
        whileOpen(this.#queues, async ({ generation, lanes }) => {
          await this.#addBroadcastJobs({ lane: lane % lanes, generation }, jobs, guard);
          return plan.lanes % lanes === 0;
        }),
      ),
    );
    return added.every(Boolean);
  }

  /**
   * Adds a job of a broadcast to the lane that a shard has now.
   * @param before is told which lane that is, before the job is added
   */
  async broadcastToShard(
    { shard, ...job }: { shard: number; id: string; data: BroadcastJob },
    { before, guard = unguarded }: { before?: (lane: LaneOfPlan) => Promise<void>; guard?: Guard } = {},
  ): Promise<LaneOfPlan> {
    return whileOpen(this.#queues, async ({ generation, lanes }) => {
      const lane = laneOf(shard, lanes);
      await before?.({ lane, generation });
      await this.#addBroadcastJobs({ lane, generation }, [{ ...job, lane }], guard);
      return { lane, generation };
    });
  }

  async #addBroadcastJobs({ lane, generation }: LaneOfPlan, jobs: BroadcastPlan['jobs'], guard: Guard): Promise<void> {
    const turns = await takeTurns(this.#queues.redis, { lane, generation }, jobs[0]?.data.from ?? '', jobs.length);
    const adds = jobs.map(({ id, data }, i) => ({
      name: BROADCAST.name,
      data,
      opts: { jobId: id, priority: turns[i] ?? 1 },
    }));
    const recipients = jobs.reduce((sum, { id }) => sum + recipientsInJob(id), 0);
    const { added } = await inTurn(recipients, () => {
      guard();
      return { added: this.#queues.lane('fanout', lane, generation).addBulk(adds) };
    });
    await added;
    await this.#confirm?.([laneQueue('fanout', lane, generation).prefix]);
  }

  /** Everything added so far is on its queue, or was refused. */
  async drained(): Promise<void> {
    await Promise.all(this.#batchers.lanes.map((batcher) => batcher.drained()));
  }
}
