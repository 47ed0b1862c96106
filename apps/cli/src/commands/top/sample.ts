import type { BroadcastAnswer, RuyiClient, StatusAnswer } from '@ruyi/client';

/** What `ruyi top` shows of one moment. */
export interface Sample {
  /** seconds since 1970 */
  at: number;
  /** messages and recipients a second; null until there are two looks to compare */
  stored_per_second: Record<string, number> | null;
  lanes: StatusAnswer['lanes'];
  index: StatusAnswer['index'];
  redis: StatusAnswer['redis'];
  broadcasts: BroadcastAnswer[];
}

/** Counters of each process by their series: a process that starts again begins at 0 under another name. */
type Counters = Map<string, { kind: string; value: number }>;

/** Processes tell their counters every five seconds, so a shorter time shows bursts that are none. */
const WINDOW_MS = 10_000;

/** Looks at an installation, and compares its counters with those of the last ten seconds. */
export class Sampler {
  readonly #client: RuyiClient;
  #seen: { ms: number; counters: Counters }[] = [];

  constructor(client: RuyiClient) {
    this.#client = client;
  }

  async look(signal: AbortSignal): Promise<Sample> {
    const [status, metrics, running, paused] = await Promise.all([
      this.#client.status(undefined, { signal }),
      this.#client.metrics(undefined, { signal }),
      this.#client.broadcasts({ state: 'running', limit: 20 }, { signal }),
      this.#client.broadcasts({ state: 'paused', limit: 20 }, { signal }),
    ]);
    const now = { ms: performance.now(), counters: countersIn(metrics) };
    const first = this.#seen.find(({ ms }) => ms >= now.ms - WINDOW_MS - 500);
    this.#seen = [...this.#seen.filter(({ ms }) => ms >= now.ms - WINDOW_MS - 500), now];
    const { lanes, index, redis } = status;
    return {
      at: Math.round(Date.now() / 1000),
      stored_per_second: first ? rates(first.counters, now.counters, (now.ms - first.ms) / 1000) : null,
      lanes,
      index,
      redis,
      broadcasts: [...running.broadcasts, ...paused.broadcasts],
    };
  }
}

/** `ruyi_stored_total` in Prometheus' text. */
export function countersIn(metrics: string): Counters {
  const counters: Counters = new Map();
  for (const [, labels = '', value] of metrics.matchAll(/^ruyi_stored_total\{([^}]*)\} (\S+)/gm)) {
    counters.set(labels, { kind: /kind="(\w+)"/.exec(labels)?.[1] ?? '', value: Number(value) });
  }
  return counters;
}

/** How much each kind of counter grew in a second. A new process has counted from 0. */
export function rates(before: Counters, now: Counters, seconds: number): Record<string, number> {
  const sums: Record<string, number> = { send: 0, fanout: 0 };
  for (const [series, { kind, value }] of now) {
    sums[kind] = (sums[kind] ?? 0) + Math.max(0, value - (before.get(series)?.value ?? 0));
  }
  return Object.fromEntries(Object.entries(sums).map(([kind, sum]) => [kind, Math.round(sum / seconds)]));
}
