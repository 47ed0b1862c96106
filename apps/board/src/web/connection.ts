import type { About, BroadcastView, Overview, Throughput } from '../live/liveState.ts';
import { change, current } from './state.ts';

const HISTORY_S = 300;

let source: EventSource | undefined;

/** Listens to what the board tells, once a second. @param no of a broadcast that is watched besides */
export function connect(no: string | undefined): void {
  source?.close();
  source = new EventSource(no === undefined ? '/events' : `/events?broadcast=${encodeURIComponent(no)}`);
  source.onopen = () => change({ isConnected: true });
  source.onerror = () => {
    change({ isConnected: false });
    // Refused, and not merely cut: the session has ended, or the board has restarted and knows it no more.
    if (source?.readyState === EventSource.CLOSED) void askAgain(no);
  };
  on<About>('about', (about) => change({ about }));
  on<Throughput[]>('history', (history) => change({ history }));
  on<Overview>('overview', takeOverview);
  on<BroadcastView>('broadcast', (view) => change({ view }));
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

async function askAgain(no: string | undefined): Promise<void> {
  const answer = await fetch('/data/broadcasts', { headers: { accept: 'application/json' } }).catch(() => undefined);
  if (answer?.status === 401) location.assign('/login');
  else setTimeout(() => connect(no), AGAIN_MS);
}
