import { loadScript, type RedisClient } from '@ruyi/redis';
import { keys } from '../keys.ts';

const changeLanePlan = loadScript(import.meta.url, 'change-lane-plan');

/** The lanes of a kind between two changes of their number. */
export interface LaneSet {
  /** counts the changes before it; part of the names of its queues */
  generation: number;
  lanes: number;
}

/**
 * Which lanes an installation has. A change of their number goes through three states (decision 78):
 *
 * - closing, with `next`: the present lanes are being closed, one after the other. Nobody adds to the next ones yet;
 * - draining, with `draining`: jobs are added to the present lanes. Those of the previous generation, which are closed, are
 *   worked first;
 * - settled, with neither.
 */
export interface LanePlan extends LaneSet {
  /** the number of lanes of the next generation */
  next?: number;
  /** lanes of the previous generation, and the kinds of which not every job is finished */
  draining?: { lanes: number; kinds: string[] };
  /** lanes of generation 0: what a batch of an earlier version was cut for */
  first?: number;
}

export class LanePlans {
  readonly #redis: RedisClient;

  constructor(redis: RedisClient) {
    this.#redis = redis;
  }

  /** Decides how many lanes a new installation has. @returns the plan of the installation */
  async decide(lanes: number): Promise<LanePlan> {
    await this.#redis.hsetnx(keys.meta, 'lanes', lanes);
    return (await this.read()) ?? { generation: 0, lanes };
  }

  /** undefined if nothing was started on the installation yet */
  async read(): Promise<LanePlan | undefined> {
    const [text, lanes] = await this.#redis.hmget(keys.meta, 'lane-plan', 'lanes');
    if (text != null) return JSON.parse(text);
    return lanes == null ? undefined : { generation: 0, lanes: Number(lanes) };
  }

  /** Replaces the plan that the caller has read. @returns false if somebody else has done so */
  async change(before: LanePlan, after: LanePlan): Promise<boolean> {
    const isFirst = before.generation === 0 && before.next === undefined;
    const texts = [isFirst ? '' : JSON.stringify(before), JSON.stringify(after)];
    return (await changeLanePlan(this.#redis, [keys.meta], [...texts, after.lanes])) === 1;
  }
}

/** The lanes of a kind that are to be worked: the previous ones until their jobs are finished. */
export function lanesToWork(plan: LanePlan, kind: string): LaneSet {
  const { generation, lanes, draining } = plan;
  return draining?.kinds.includes(kind) ? { generation: generation - 1, lanes: draining.lanes } : { generation, lanes };
}
