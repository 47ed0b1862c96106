import type { BroadcastPage, BroadcastState } from '../live/liveState.ts';
import { BroadcastRow } from './broadcastRow.tsx';
import { NewLink } from './overviewPage.tsx';
import { Empty } from './parts.tsx';
import { ask, say } from './server.ts';
import { change, current } from './state.ts';
import { h, type JSX } from './vendor/preact.mjs';

const STATES: BroadcastState[] = ['running', 'paused', 'scheduled', 'open', 'done', 'failed', 'cancelled'];

/** Reads the first page of a state, or the next one of what is shown. */
export async function readList(state: BroadcastState | '', isNext = false): Promise<void> {
  const former = isNext ? current().list : undefined;
  const query = new URLSearchParams({ ...(state && { state }), ...(former && { cursor: former.cursor }) });
  try {
    const { broadcasts, cursor } = await ask<BroadcastPage>(`/data/broadcasts?${query}`);
    change({ list: { state, broadcasts: [...(former?.broadcasts ?? []), ...broadcasts], cursor } });
  } catch (error) {
    say(error);
  }
}

/** All of them, the newest first. Those that run are kept up to date by what every page is told. */
export function BroadcastsPage(): JSX.Element {
  const { list, overview, about } = current();
  const latest = new Map(overview?.broadcasts?.map((one) => [one.broadcast_no, one]));
  const shown = list?.broadcasts.map((one) => latest.get(one.broadcast_no) ?? one);
  return (
    <main>
      <div class="title">
        <h1>Broadcasts</h1>
        <NewLink isShown={about?.isReadOnly === false} />
      </div>
      <section aria-label="All broadcasts">
        <label class="filter">
          State{' '}
          <select
            value={list?.state ?? ''}
            onChange={({ currentTarget }) => readList(currentTarget.value as BroadcastState | '')}
          >
            <option value="">all</option>
            {STATES.map((state) => (
              <option key={state}>{state}</option>
            ))}
          </select>
        </label>
        {shown?.length === 0 && (
          <Empty>
            {list?.state === ''
              ? 'Nothing has been broadcast in the last days.'
              : `No broadcast is ${list?.state} now.`}
          </Empty>
        )}
        <ul class="broadcasts">
          {shown?.map((broadcast) => (
            <BroadcastRow key={broadcast.broadcast_no} broadcast={broadcast} />
          ))}
        </ul>
        {list !== undefined && list.cursor !== '' && (
          <p class="more">
            <button type="button" onClick={() => readList(list.state, true)}>
              Show more
            </button>
          </p>
        )}
      </section>
    </main>
  );
}
