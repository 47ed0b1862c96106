import { randomBytes } from 'node:crypto';
import type { SendItem } from '@ruyi/contracts';
import { Batcher, Gate, groupBy, inTurn } from '@ruyi/flow';
import { laneOf, shardNumber } from '@ruyi/store';
import { takeTurns } from './fairTurns.ts';
import { BROADCAST, GROUP_COMMAND, type GroupCommandJob, SEND } from './jobs.ts';
import { laneQueue, recipientsInJob } from './names.ts';
import type { BroadcastPlan } from './planBroadcast.ts';
import type { Queues } from './queues.ts';

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
}

/** The API's side of the lanes. Everything that a job writes is decided before it is added (invariant 1). */
export class Producer {
  /** Names this process in job ids and in what workers publish. */
  readonly name = randomBytes(6).toString('hex');
  readonly #queues: Queues;
  readonly #shards: number;
  readonly #batchers: Batcher<Entry, Map<Entry, unknown>>[];
  readonly #confirm: (keys: string[]) => Promise<void>;
  #jobs = 0;

  /** @param confirm resolves once what was written under these keys is safe; by default it is once it is written */
  constructor(queues: Queues, shards: number, confirm: (keys: string[]) => Promise<void> = async () => {}) {
    this.#confirm = confirm;
    this.#queues = queues;
    this.#shards = shards;
    const gate = new Gate(ADDS_IN_FLIGHT);
    this.#batchers = Array.from(
      { length: queues.lanes },
      (_, lane) => new Batcher<Entry, Map<Entry, unknown>>(MICRO_BATCH, (items) => this.#addSendJob(lane, items), gate),
    );
  }

  /** @returns the entries that their guard keeps back, and why */
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
    // With an id chosen here, an add that is sent twice is one job.
    const jobId = `${this.name}.${++this.#jobs}.${items.length}`;
    await this.#queues.lane('send', lane).add(SEND.name, { items }, { jobId });
    return refused;
  }

  /** Resolves when the message is on its lane's queue. */
  async send(item: SendItem, guard = unguarded): Promise<void> {
    const lane = laneOf(shardNumber(item.ch, this.#shards), this.#queues.lanes);
    const entry = { item, guard };
    const refused = await this.#batchers[lane]?.add(entry, item.payload.length + 200);
    if (refused?.has(entry)) throw refused.get(entry);
    await this.#confirm([laneQueue('send', lane).prefix]);
  }

  /** @param recipients for the backlog; part of the job's id, so it must be the same when the job is added again */
  async groupCommand(job: GroupCommandJob, guard = unguarded, recipients = 1): Promise<void> {
    const lane = laneOf(shardNumber(job.ch, this.#shards), this.#queues.lanes);
    // Commands to one channel keep their order, whoever sends them.
    const [priority = 1] = await takeTurns(this.#queues.redis, lane, job.ch, 1);
    guard();
    const jobId = `g${job.ref}.${recipients}`;
    await this.#queues.lane('fanout', lane).add(GROUP_COMMAND.name, job, { jobId, priority });
    await this.#confirm([laneQueue('fanout', lane).prefix]);
  }

  /** Adds the jobs of a broadcast, each lane's in order. Adding them again changes nothing: their ids are fixed. */
  async broadcast(plan: Pick<BroadcastPlan, 'jobs'>, guard = unguarded): Promise<void> {
    await Promise.all(
      [...groupBy(plan.jobs, ({ lane }) => lane)].map(async ([lane, jobs]) => {
        const turns = await takeTurns(this.#queues.redis, lane, jobs[0]?.data.from ?? '', jobs.length);
        const adds = jobs.map(({ id, data }, i) => ({
          name: BROADCAST.name,
          data,
          opts: { jobId: id, priority: turns[i] ?? 1 },
        }));
        const recipients = jobs.reduce((sum, { id }) => sum + recipientsInJob(id), 0);
        const { added } = await inTurn(recipients, () => {
          guard();
          return { added: this.#queues.lane('fanout', lane).addBulk(adds) };
        });
        await added;
        await this.#confirm([laneQueue('fanout', lane).prefix]);
      }),
    );
  }

  /** Everything added so far is on its queue, or was refused. */
  async drained(): Promise<void> {
    await Promise.all(this.#batchers.map((batcher) => batcher.drained()));
  }
}
