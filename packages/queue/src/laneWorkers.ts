import { every } from '@ruyi/flow';
import { ConnectionEpochs, onConnectionLost, type RedisClient } from '@ruyi/redis';
import { type JobRun, lanesToWork, OutdatedError, type Store } from '@ruyi/store';
import { type Job, Worker } from 'bullmq';
import { beforeCompletion } from './bullmqInternals.ts';
import { healUnreadable, isDeadLettered } from './deadLetters/recordDeadLetters.ts';
import { noteTurn } from './fairTurns.ts';
import { LANE_KINDS, type LaneKind, laneQueue, METRICS } from './names.ts';
import type { Queues } from './queues.ts';
import { telemetryOf } from './tracing.ts';

const MEMBER_EVERY_MS = 500;
const MEMBER_SILENT_MS = 3000;
const LOCK_MS = 3000;
/** How long a hand-over may last longer, because the next worker looked while the lane was busy. Less costs more while idle. */
const DRAIN_DELAY_SECONDS = 0.5;
const CAREFUL_FROM_START = 5;

/** Handles the jobs of one lane. Throws only if another worker has the job by now, or if the process stops. */
export type LaneHandler = (run: JobRun, job: { name: string; data: unknown }) => Promise<void>;

interface LaneWorkersOptions {
  /** of this process, among all of the installation */
  name: string;
  /** for BullMQ: waits while Redis is away, and repeats no command by itself (`worker` of connect) */
  connection: RedisClient;
  store: Store;
  queues: Queues;
  /** told that another version has changed the data: the process must end. The job stays for a newer worker */
  onOutdated(error: OutdatedError): void;
  /** one handler per lane, because each keeps the lane's heads. @param name of its queue */
  handler(kind: LaneKind, lane: number, name: string): LaneHandler;
  log: { info(fields: object, text: string): void; warn(fields: object, text: string): void };
}

/**
 * Works this process' share of the lanes. Which worker has which lane lies in Redis (share-lanes.lua), so few lanes move when
 * a worker comes or goes. Nobody holds a lease: the queue's own global concurrency of 1 keeps two workers out of one lane, so
 * a disagreement about who has a lane only costs a pause. After a change of the number of lanes, those of the previous
 * generation are worked until no job is left on any lane of their kind.
 *
 * A lane is given up, then closing, then closed; or taken, then open. A job on an open lane goes through these states:
 *
 * - running: its handler runs, in the connection epoch in which it began;
 * - stale: a connection was lost since. What the handler did may be undone, so it runs once more from its start;
 * - done: its handler ended in the present epoch. Only from here BullMQ completes it, in the same turn;
 * - abandoned: the process stops. The job is neither completed nor failed; whoever works the lane next starts it again.
 *
 * A job is never failed because Redis is away, since a failed job would lose its place in the order.
 */
export class LaneWorkers {
  readonly #options: LaneWorkersOptions;
  /**
   * What a job did so far may be undone in the next epoch. It is run once more from its start, which changes nothing that is
   * still there, before it takes any later step, such as noting its progress.
   */
  readonly #epochs: ConnectionEpochs;
  readonly #open = new Map<string, Worker>();
  readonly #closing = new Set<Promise<void>>();
  #stopSharing: (() => Promise<void>) | undefined;

  constructor(options: LaneWorkersOptions) {
    this.#options = options;
    this.#epochs = new ConnectionEpochs((lost) => {
      onConnectionLost(options.connection, lost);
      options.store.onConnectionLost(lost);
    });
  }

  get name(): string {
    return this.#options.name;
  }

  start(): void {
    this.#stopSharing = every(
      MEMBER_EVERY_MS,
      () => this.#share(),
      (err, inARow) => {
        if (inARow === 1) this.#options.log.warn({ err }, 'cannot look which lanes are to be worked here');
      },
    );
  }

  /** The lanes that this process works now. */
  get lanes(): string[] {
    return [...this.#open.keys()];
  }

  async #share(): Promise<void> {
    const { store, queues, log } = this.#options;
    const plan = await queues.advance();
    const kinds = LANE_KINDS.map((kind) => ({ kind, ...lanesToWork(plan, kind) }));
    const shares = await store.laneMembers.share(this.name, MEMBER_SILENT_MS, kinds);
    const due = new Map(
      kinds.flatMap(({ kind, generation }, i) =>
        (shares[i] ?? []).map((lane) => [laneQueue(kind, lane, generation).name, { kind, lane, generation }]),
      ),
    );
    for (const [name, worker] of this.#open) {
      if (due.has(name)) continue;
      this.#open.delete(name);
      log.info({ lane: name }, 'lane given up');
      const closed = worker.close().finally(() => this.#closing.delete(closed));
      this.#closing.add(closed);
    }
    for (const [name, lane] of due) {
      if (this.#open.has(name)) continue;
      this.#open.set(name, this.#openLane(lane));
      log.info({ lane: name }, 'lane taken');
    }
  }

  #openLane({ kind, lane, generation }: { kind: LaneKind; lane: number; generation: number }): Worker {
    const { connection, queues, log } = this.#options;
    const { name, prefix } = laneQueue(kind, lane, generation);
    const handle = this.#options.handler(kind, lane, name);
    const process = (job: Job, token = '') => {
      // Nobody waits for this, because only the fairness of the lane depends on it.
      if (kind === 'fanout' && job.priority > 0)
        noteTurn(queues.redis, { lane, generation }, job.priority).catch(() => {});
      return this.#process(handle, job, token);
    };
    const worker = new Worker(name, process, {
      name: this.name,
      connection,
      prefix,
      metrics: METRICS,
      concurrency: 1,
      lockDuration: LOCK_MS,
      stalledInterval: 1000,
      drainDelay: DRAIN_DELAY_SECONDS,
      runRetryDelay: 500,
      maxStalledCount: 1_000_000,
      skipVersionCheck: true,
      ...telemetryOf(queues.tracing),
    });
    worker.on('error', (err) => log.warn({ err, lane: name }, 'lane worker'));
    worker.on('failed', (job, err) => {
      log.warn({ err, lane: name, jobId: job?.id }, 'job failed, it lies among the failed jobs of its lane');
    });
    worker.on('stalled', (jobId) => {
      healUnreadable(queues, queues.lane(kind, lane, generation), jobId, log);
    });
    return worker;
  }

  async #process(handle: LaneHandler, job: Job, token: string): Promise<void> {
    if (isDeadLettered(job.data)) return;
    const run: JobRun = {
      jobId: String(job.id),
      extendLock: async () => (await job.extendLock(token, LOCK_MS)) === 1,
      signal: this.#epochs.present,
      careful: job.attemptsStarted >= CAREFUL_FROM_START,
    };
    let epoch = this.#epochs.present;
    const handleWithinOneEpoch = async () => {
      do {
        epoch = this.#epochs.present;
        try {
          await handle({ ...run, signal: epoch }, job);
        } catch (error) {
          // The process stops. Whoever works the lane next starts this job again, at its head; a failed job would not be.
          if (this.#epochs.hasStopped) await new Promise(() => {});
          if (error instanceof OutdatedError) {
            this.#options.onOutdated(error);
            await new Promise(() => {});
          }
          if (!epoch.aborted) throw error;
        }
      } while (epoch !== this.#epochs.present);
    };
    beforeCompletion(job, this.#options.connection, () =>
      epoch === this.#epochs.present ? undefined : handleWithinOneEpoch(),
    );
    await handleWithinOneEpoch();
  }

  /** Ends the running jobs and gives the lanes to the others within `deadlineMs`. Jobs that still run are started again there. */
  async close(deadlineMs: number): Promise<void> {
    const closed = async () => {
      await this.#stopSharing?.();
      const left = this.#options.store.laneMembers.leave(this.name).catch(() => {});
      await Promise.all([left, ...[...this.#open.values()].map((worker) => worker.close()), ...this.#closing]);
    };
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<void>((resolve) => {
      timer = setTimeout(() => {
        this.#epochs.stop();
        resolve();
      }, deadlineMs);
    });
    // The deadline covers all of it, because while Redis is away even the last look at the other workers does not end.
    await Promise.race([closed(), late]);
    clearTimeout(timer);
  }
}
