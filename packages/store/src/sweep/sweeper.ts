import { loadScript, type RedisClient, redisMemory } from '@ruyi/redis';
import type { StoreLimits } from '../append/appendContext.ts';
import { unlessDamaged } from '../damage.ts';
import { SweepLease } from '../installation/sweepLease.ts';
import { keys } from '../keys.ts';
import { scanKeys } from '../logs/keyScan.ts';
import type { Trimmer } from '../trimming/trimmer.ts';
import { BodyTimes } from './bodyTimes.ts';
import { Pace } from './pace.ts';
import { GatheredPlaces } from './places.ts';
import { SWEPT_KINDS, type SweepContext, type Swept } from './sweepContext.ts';
import { sweepInboxes } from './sweepInboxes.ts';
import { sweepLogs } from './sweepLogs.ts';

const sweepBody = loadScript(import.meta.url, 'sweep-body');

/** Keys of one step; SCAN takes 0.1 ms for them. */
const KEYS_AT_ONCE = 250;
/** Logs and inboxes that are gathered first, so that a call finds enough of its shard. */
const GATHERED = 4000;
const HOLD_EVERY_MS = 1000;
/** Writes are refused at 80 %, so from here on the sweeper works harder, unless it found nothing to remove. */
const HURRY_AT = 0.75;
/** Pause between two rounds: a small installation is idle meanwhile, a large one is not read all the time. */
const PAUSE = { shortestMs: 10_000, hurriedMs: 1000, longestMs: 600_000, perRound: 4 };

/** What a round over all keys removed. */
export interface SweepRound {
  swept: Swept;
  seconds: number;
  /** false if another worker took over in the middle of it */
  isWhole: boolean;
}

/** Another worker sweeps now. */
class TakenOverError extends Error {}

/**
 * Removes what no read returns any more, and what the bounds of the configuration no longer allow. Trimming at an append
 * reaches only logs that are appended to, and appends are refused while memory is full. One worker sweeps for the whole
 * installation. Two that do so at once, or one that dies at any point, do no harm: each call decides by what it finds, and
 * bodies are counted down before their entries go.
 */
export class Sweeper {
  readonly #redis: RedisClient;
  readonly #limits: StoreLimits;
  readonly #trimmer: Trimmer;
  readonly #lease: SweepLease;
  /** milliseconds by the local clock: the next round, and the next word that this worker sweeps */
  #nextRoundAt = 0;
  #nextHoldAt = 0;
  /** the last round removed something; not known before the first one */
  #isUseful = true;

  constructor(redis: RedisClient, trimmer: Trimmer, limits: StoreLimits) {
    this.#redis = redis;
    this.#trimmer = trimmer;
    this.#limits = limits;
    this.#lease = new SweepLease(redis);
  }

  /**
   * Call it every second: claims the sweep for this worker, and makes a round if one is due.
   * @param name of the worker
   * @param signal ends the round; its reason is thrown
   * @returns undefined if there was no round
   */
  async sweep(name: string, signal: AbortSignal): Promise<SweepRound | undefined> {
    if (!(await this.#lease.hold(name))) return undefined;
    const isHurried = this.#isUseful && (await this.#isMemoryFull());
    const latest = performance.now() + (isHurried ? PAUSE.hurriedMs : PAUSE.longestMs);
    this.#nextRoundAt = Math.min(this.#nextRoundAt, latest);
    if (performance.now() < this.#nextRoundAt) return undefined;
    const from = performance.now();
    const round = await this.#round(name, signal);
    const took = performance.now() - from;
    const pause = Math.min(PAUSE.longestMs, Math.max(PAUSE.shortestMs, took * PAUSE.perRound));
    if (round.isWhole) {
      this.#nextRoundAt = performance.now() + pause;
      this.#isUseful = SWEPT_KINDS.some((kind) => round.swept[kind] > 0);
    }
    return { ...round, seconds: took / 1000 };
  }

  /** Another worker may sweep at once. */
  release(name: string): Promise<void> {
    return this.#lease.release(name);
  }

  async #round(name: string, signal: AbortSignal): Promise<Omit<SweepRound, 'seconds'>> {
    const swept: Swept = { retention: 0, age: 0, expired: 0, commands: 0, bodies: 0 };
    const pace: Pace = new Pace(signal, () => this.#keep(name, pace));
    const context: SweepContext = {
      redis: this.#redis,
      limits: this.#limits,
      trimmer: this.#trimmer,
      times: new BodyTimes(this.#redis),
      pace,
      count: (some) => {
        for (const kind of SWEPT_KINDS) swept[kind] += some[kind] ?? 0;
        this.#isUseful ||= SWEPT_KINDS.some((kind) => (some[kind] ?? 0) > 0);
      },
    };
    try {
      await this.#sweepAll(context);
    } catch (error) {
      if (!(error instanceof TakenOverError)) throw error;
      return { swept, isWhole: false };
    }
    return { swept, isWhole: true };
  }

  async #sweepAll(context: SweepContext): Promise<void> {
    const scan = scanKeys(this.#redis, { pattern: 'r:{*', count: KEYS_AT_ONCE });
    let gathered = new GatheredPlaces();
    for (;;) {
      const step = await context.pace.work(() => scan.next());
      if (!step.done) gathered.add(step.value.keys);
      if (!step.done && gathered.count < GATHERED) continue;
      for (const ref of gathered.refs) await this.#sweepBody(context, ref);
      for (const some of gathered.logs.values()) await sweepLogs(context, some);
      for (const some of gathered.inboxes.values()) await sweepInboxes(context, some);
      if (step.done) return;
      gathered = new GatheredPlaces();
    }
  }

  async #sweepBody({ pace, redis, count }: SweepContext, ref: string): Promise<void> {
    const bodyKeys = [keys.body(ref), keys.gone(ref), keys.late(ref)];
    await unlessDamaged(async () => count({ bodies: Number(await pace.work(() => sweepBody(redis, bodyKeys))) }));
  }

  /** Says every second that this worker sweeps, and looks how much memory is left. */
  async #keep(name: string, pace: Pace): Promise<void> {
    if (performance.now() < this.#nextHoldAt) return;
    this.#nextHoldAt = performance.now() + HOLD_EVERY_MS;
    if (!(await this.#lease.hold(name))) throw new TakenOverError();
    pace.isHurried = this.#isUseful && (await this.#isMemoryFull());
  }

  async #isMemoryFull(): Promise<boolean> {
    const { used, allowed } = await redisMemory(this.#redis);
    return allowed > 0 && used > allowed * HURRY_AT;
  }
}
