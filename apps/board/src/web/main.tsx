import { type Shown, shownAt } from './addresses.ts';
import { BroadcastPage } from './broadcastPage.tsx';
import { BroadcastsPage, readList } from './broadcastsPage.tsx';
import { DeadPage } from './deadPage.tsx';
import { readFailures } from './failuresSection.tsx';
import { Header } from './header.tsx';
import { startNavigation } from './navigation.ts';
import { NewBroadcastPage } from './newBroadcastPage.tsx';
import { OverviewPage } from './overviewPage.tsx';
import { current, forget, onStateChange } from './state.ts';
import { Fragment, h, type JSX, render } from './vendor/preact.mjs';

const TITLES: Record<Shown['page'], string> = {
  overview: 'Overview',
  broadcasts: 'Broadcasts',
  new: 'New broadcast',
  broadcast: 'Broadcast',
  dead: 'Dead letters',
};

function Page(): JSX.Element {
  const shown = shownAt(current().path);
  return (
    <Fragment>
      <Header shown={shown} />
      <Content shown={shown} />
      <Notice />
      <footer>
        Ruyi {current().about?.version} · times are of your browser’s zone; point at one for the exact one
      </footer>
    </Fragment>
  );
}

function Content({ shown }: { shown: Shown }): JSX.Element {
  switch (shown.page) {
    case 'broadcasts':
      return <BroadcastsPage />;
    case 'new':
      return <NewBroadcastPage />;
    case 'broadcast':
      return <BroadcastPage no={shown.no} />;
    case 'dead':
      return <DeadPage />;
    case 'overview':
      return <OverviewPage />;
  }
}

/** How the last action ended. */
function Notice(): JSX.Element {
  const { notice } = current();
  return (
    <div class="notices" role={notice?.isProblem ? 'alert' : 'status'}>
      {notice && (
        <div class={notice.isProblem ? 'notice problem' : 'notice'}>
          <p>{notice.text}</p>
          <button type="button" onClick={() => forget('notice')}>
            Close
          </button>
        </div>
      )}
    </div>
  );
}

const place = document.getElementById('page');
onStateChange(() => {
  const { path, overview, about } = current();
  const shown = shownAt(path);
  const running = overview?.broadcasts?.filter(({ state }) => state === 'running').length ?? 0;
  const where = about?.environment ? ` · ${about.environment}` : '';
  document.title = `${running > 0 ? `(${running}) ` : ''}${TITLES[shown.page]} · Ruyi${where}`;
  if (place) render(<Page />, place);
  if (shown.page === 'broadcast') void readFailures();
});
startNavigation(() => {
  if (shownAt(location.pathname).page === 'broadcasts') void readList('');
});
