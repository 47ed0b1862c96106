import type { About, BroadcastView, DeadView, Overview, Throughput } from '../live/liveState.ts';
import type { Shown } from './addresses.ts';
import { change, current } from './state.ts';

const HISTORY_S = 300;

let source: EventSource | undefined;

/** Listens to what the board tells, once a second. */
export function connect(shown: Shown): void {
  source?.close();
  source = new EventSource(addressOf(shown));
  source.onopen = () => change({ isConnected: true });
  source.onerror = () => {
    change({ isConnected: false });
    // Refused, and not merely cut: the session has ended, or the board has restarted and knows it no more.
    if (source?.readyState === EventSource.CLOSED) void askAgain(shown);
  };
  on<About>('about', (about) => change({ about }));
  on<Throughput[]>('history', (history) => change({ history }));
  on<Overview>('overview', takeOverview);
  on<BroadcastView>('broadcast', (view) => change({ view }));
  on<DeadView>('dead', (dead) => change({ dead }));
}

function addressOf(shown: Shown): string {
  if (shown.page === 'broadcast') return `/events?broadcast=${encodeURIComponent(shown.no)}`;
  return shown.page === 'dead' ? '/events?dead=1' : '/events';
}

/** Nobody looks. A browser also has few connections to one server, and each open tab would take one. */
export function disconnect(): void {
  source?.close();
}

function on<T>(name: string, take: (value: T) => void): void {
  source?.addEventListener(name, ({ data }: MessageEvent<string>) => {
    const value: T = JSON.parse(data);
    take(value);
  });
}

/** What could not be read this time stays as it was, with the time of its reading. */
function takeOverview(overview: Overview): void {
  const { overview: known, history } = current();
  const { problem: _, ...former } = known ?? {};
  const { throughput } = overview;
  const isNew = throughput !== null && throughput.at !== history.at(-1)?.at;
  change({
    overview: { ...former, ...overview },
    history: isNew ? [...history.filter(({ at }) => at >= overview.at - HISTORY_S), throughput] : history,
  });
}

const AGAIN_MS = 2000;

async function askAgain(shown: Shown): Promise<void> {
  const answer = await fetch('/data/broadcasts', { headers: { accept: 'application/json' } }).catch(() => undefined);
  if (answer?.status === 401) location.assign('/login');
  else setTimeout(() => connect(shown), AGAIN_MS);
}
