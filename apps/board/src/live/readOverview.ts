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
      ruyi.broadcasts({ limit: NEWEST }),
      isCounted ? ruyi.metrics() : undefined,
    ]);
    if (metrics.status === 'fulfilled' && metrics.value !== undefined) {
      countedAt = at;
      counters.take(metrics.value, at);
    }
    const [problem] = [health, status].flatMap((one) =>
      one.status === 'rejected' ? [problemOf(one.reason, url)] : [],
    );
    // While Redis is away the API's health says so, and that it cannot say more is no problem of its own.
    const isSaid = health.status === 'fulfilled' && health.value.status === 'down';
    const listed = list.status === 'fulfilled' ? list.value.broadcasts : undefined;
    const running = status.status === 'fulfilled' ? status.value.broadcasts : [];
    return {
      at,
      ...(problem && !isSaid ? { problem } : {}),
      ...(health.status === 'fulfilled' ? { health: health.value } : {}),
      ...(status.status === 'fulfilled' ? { status: status.value } : {}),
      ...(listed ? { broadcasts: await shownInOrder([...running, ...listed], batches) } : {}),
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
      message: `The API at ${error.message}.`,
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

/** Each once; the ones that need attention first, then the newest. */
async function shownInOrder(all: BroadcastAnswer[], batches: Batches): Promise<ShownBroadcast[]> {
  const each = [...new Map(all.map((one) => [one.broadcast_no, one])).values()];
  const broadcasts = await Promise.all(each.map((one) => batches.shown(one)));
  const rank = ({ state }: BroadcastAnswer) => (ORDER.includes(state) ? ORDER.indexOf(state) : ORDER.length);
  return broadcasts.toSorted((a, b) => rank(a) - rank(b) || b.created_at - a.created_at);
}

function healthOf({ status, checks }: HealthAnswer): Health {
  return {
    status,
    checks: Object.entries(checks ?? {}).map(([name, check]) => ({ name, message: '', fix: '', ...check })),
  };
}
