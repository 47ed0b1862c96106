import { type BroadcastAnswer, type HealthAnswer, type RuyiClient, RuyiError } from '@ruyi/client';
import type { Batches } from './batches.ts';
import type { Counters } from './counters.ts';
import type { BroadcastView, Health, Overview, ShownBroadcast } from './liveState.ts';

const NEWEST = 20;
/** Processes tell their counters only every five seconds. */
const COUNTERS_EVERY_S = 5;
/** Where the page shows each state. */
const ORDER: BroadcastAnswer['state'][] = ['running', 'paused', 'scheduled', 'open'];

type Problem = NonNullable<Overview['problem']>;

/** Whom a reading asks. */
export interface Sources {
  ruyi: RuyiClient;
  /** of the API, for people */
  url: string;
  batches: Batches;
}

/** Reads what every page shows. It never fails: what is missing is said in `problem`. */
export function overviewReader({ ruyi, url, batches }: Sources, counters: Counters): () => Promise<Overview> {
  let countedAt = Number.NEGATIVE_INFINITY;
  return async () => {
    const at = Date.now() / 1000;
    const isCounted = at - countedAt >= COUNTERS_EVERY_S - 0.5;
    const [health, status, list, metrics] = await Promise.allSettled([
      ruyi.health().then(healthOf),
      ruyi.status(),
      ruyi.broadcasts({ limit: NEWEST }).then((page) => Promise.all(page.broadcasts.map((one) => batches.shown(one)))),
      isCounted ? ruyi.metrics() : undefined,
    ]);
    if (metrics.status === 'fulfilled' && metrics.value !== undefined) {
      countedAt = at;
      counters.take(metrics.value, at);
    }
    // While Redis is away the API still says so in its health, and nothing else is a problem of its own.
    const problem = health.status === 'rejected' ? problemOf(health.reason, url) : undefined;
    return {
      at,
      ...(problem ? { problem } : {}),
      ...(health.status === 'fulfilled' ? { health: health.value } : {}),
      ...(status.status === 'fulfilled' ? { status: status.value } : {}),
      ...(list.status === 'fulfilled' ? { broadcasts: inOrder(list.value) } : {}),
      throughput: counters.throughput,
      freshness: counters.freshness,
    };
  };
}

/** Reads one broadcast. It never fails. */
export const broadcastReader =
  ({ ruyi, url, batches }: Sources, no: string) =>
  async (): Promise<BroadcastView> => {
    try {
      return { no, broadcast: await batches.shown(await ruyi.broadcastReport({ broadcast_no: no })) };
    } catch (error) {
      return { no, problem: problemOf(error, url) };
    }
  };

/** What an operator does about an API that gives no answer. */
export function problemOf(error: unknown, url: string): Problem {
  if (!(error instanceof RuyiError)) return { message: String(error), fix: '' };
  if (error.code === 'unreachable') {
    return {
      message: `The API does not answer: ${error.message}.`,
      fix: 'Start it, or correct RUYI_URL of the board.',
    };
  }
  if (error.status === 401) {
    return {
      message: `The API at ${url} refuses the board: it has another API_TOKEN.`,
      fix: 'Start the board with the API_TOKEN of the API.',
    };
  }
  return { message: error.message, fix: '' };
}

/** The ones that need attention first, then the newest. */
function inOrder(broadcasts: ShownBroadcast[]): ShownBroadcast[] {
  const rank = ({ state }: BroadcastAnswer) => (ORDER.includes(state) ? ORDER.indexOf(state) : ORDER.length);
  return broadcasts.toSorted((a, b) => rank(a) - rank(b) || b.created_at - a.created_at);
}

function healthOf({ status, checks }: HealthAnswer): Health {
  return {
    status,
    checks: Object.entries(checks ?? {}).map(([name, check]) => ({ name, message: '', fix: '', ...check })),
  };
}
