import { shownAt } from './addresses.ts';
import { connect, disconnect } from './connection.ts';
import { change, forget } from './state.ts';

let onArrival = () => {};

/** Shows another address without loading the page again, so that what an action has said stays. */
export function go(path: string): void {
  history.pushState({}, '', path);
  arrive();
}

/** Shows what belongs to the address. */
function arrive(): void {
  forget('view', 'failures', 'list', 'dead', 'letter');
  change({ path: location.pathname });
  connect(shownAt(location.pathname));
  onArrival();
  scrollTo(0, 0);
}

/** @param listener reads what a page needs besides what every page is told */
export function startNavigation(listener: () => void): void {
  onArrival = listener;
  addEventListener('popstate', arrive);
  document.addEventListener('visibilitychange', () => {
    if (document.hidden) disconnect();
    else connect(shownAt(location.pathname));
  });
  arrive();
}
