import type { RedisClient } from '@ruyi/redis';
import { keys } from '../keys.ts';

const LIFE_SECONDS = 30;

/** The metrics of processes: each writes its own every few seconds, and they expire soon after the process ends. */
export class Reports {
  readonly #redis: RedisClient;

  constructor(redis: RedisClient) {
    this.#redis = redis;
  }

  async write(process: string, report: string): Promise<void> {
    await this.#redis.set(keys.report(process), report, 'EX', LIFE_SECONDS);
    await this.#redis.sadd(keys.reports, process);
  }

  /** The reports of all processes that wrote one in the last 30 s, by process. */
  async all(): Promise<Map<string, string>> {
    const processes = await this.#redis.smembers(keys.reports);
    const texts = await Promise.all(processes.map((process) => this.#redis.get(keys.report(process))));
    const reports = new Map<string, string>();
    const gone: string[] = [];
    for (const [i, process] of processes.entries()) {
      const text = texts[i];
      if (typeof text === 'string') reports.set(process, text);
      else gone.push(process);
    }
    if (gone.length > 0) await this.#redis.srem(keys.reports, ...gone);
    return reports;
  }
}
