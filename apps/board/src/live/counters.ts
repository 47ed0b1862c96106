import type { Freshness, Throughput } from './liveState.ts';
import { bucketsOf, growthOf, type Sample, samplesOf } from './metricsText.ts';

/** Processes tell their counters every five seconds, so a shorter time shows bursts that are none. */
const RATE_WINDOW_S = 10;
const FRESHNESS_WINDOW_S = 60;
/** What the page draws. */
const HISTORY_S = 300;
/** A reading may come late. */
const SLACK_S = 0.5;

interface Reading {
  at: number;
  stored: Sample[];
  freshness: Sample[];
}

/** Compares what GET /metrics said at several times. */
export class Counters {
  #readings: Reading[] = [];
  #history: Throughput[] = [];

  /** Throughput of the last five minutes, the oldest first, as far as somebody looked. */
  get history(): Throughput[] {
    return this.#history;
  }

  /** @param at seconds */
  take(metrics: string, at: number): void {
    const reading = {
      at,
      stored: samplesOf(metrics, 'ruyi_stored_total'),
      freshness: bucketsOf(metrics, 'ruyi_search_freshness_seconds'),
    };
    this.#readings = [...this.#readings.filter((one) => one.at >= at - FRESHNESS_WINDOW_S - SLACK_S), reading];
    const first = this.#firstSince(at - RATE_WINDOW_S);
    const rate = first === undefined ? undefined : throughputBetween(first, reading);
    this.#history = [...this.#history.filter((one) => one.at >= at - HISTORY_S), ...(rate ? [rate] : [])];
  }

  /** null until there are two readings to compare */
  get throughput(): Throughput | null {
    const last = this.#history.at(-1);
    return last !== undefined && last.at === this.#readings.at(-1)?.at ? last : null;
  }

  /** null if nothing was indexed in the last minute */
  get freshness(): Freshness | null {
    const last = this.#readings.at(-1);
    if (last === undefined) return null;
    const first = this.#firstSince(last.at - FRESHNESS_WINDOW_S);
    return first === undefined ? null : freshnessOf(growthOf(first.freshness, last.freshness));
  }

  /** The first reading since then, if it is not the last one. */
  #firstSince(at: number): Reading | undefined {
    return this.#readings.slice(0, -1).find((one) => one.at >= at - SLACK_S);
  }
}

function throughputBetween(first: Reading, last: Reading): Throughput {
  const sums = { send: 0, fanout: 0 };
  for (const { labels, value } of growthOf(first.stored, last.stored)) {
    if (labels.kind === 'send' || labels.kind === 'fanout') sums[labels.kind] += value;
  }
  const perSecond = (sum: number) => Math.round(sum / (last.at - first.at));
  return { at: last.at, send: perSecond(sums.send), fanout: perSecond(sums.fanout) };
}

/** Of the buckets of all indexers. */
function freshnessOf(buckets: Sample[]): Freshness | null {
  const counts = new Map<number, number>();
  for (const { labels, value } of buckets) {
    const upTo = labels.le === '+Inf' ? Number.POSITIVE_INFINITY : Number(labels.le);
    counts.set(upTo, (counts.get(upTo) ?? 0) + value);
  }
  const sorted = [...counts].sort(([a], [b]) => a - b);
  const total = sorted.at(-1)?.[1] ?? 0;
  if (total === 0) return null;
  return { median: quantile(sorted, total / 2), p99: quantile(sorted, total * 0.99) };
}

/** As Prometheus does it: evenly within a bucket, and no more than the largest bound. @param sorted [bound, how many up to it] */
function quantile(sorted: [number, number][], rank: number): number {
  const index = sorted.findIndex(([, count]) => count >= rank);
  const [bound, count] = sorted[index] ?? [0, 0];
  const [lower, below] = sorted[index - 1] ?? [0, 0];
  if (!Number.isFinite(bound)) return lower;
  return lower + ((rank - below) / (count - below)) * (bound - lower);
}
