import type { Shown } from './addresses.ts';
import { HealthBadge } from './healthSection.tsx';
import { current } from './state.ts';
import { h, type JSX } from './vendor/preact.mjs';

const LINKS: { href: string; text: string; pages: Shown['page'][] }[] = [
  { href: '/', text: 'Overview', pages: ['overview'] },
  { href: '/broadcasts', text: 'Broadcasts', pages: ['broadcasts', 'broadcast', 'new'] },
  { href: '/dead', text: 'Dead letters', pages: ['dead'] },
];

/** The same on every page: where one is, which installation this is, and how it is. */
export function Header({ shown }: { shown: Shown }): JSX.Element {
  const { about, overview, isConnected } = current();
  return (
    <header>
      <div class="bar">
        <a class="brand" href="/">
          <img src="/assets/icon.svg" alt="" width="24" height="24" />
          Ruyi
        </a>
        {about && about.environment !== '' && <span class="environment">{about.environment}</span>}
        <nav aria-label="Pages">
          {LINKS.map(({ href, text, pages }) => (
            <a key={href} href={href} aria-current={pages.includes(shown.page) ? 'page' : undefined}>
              {text}
            </a>
          ))}
          <a href="/queues">Queues</a>
        </nav>
        <div class="end">
          {about?.isReadOnly && <span class="hint">read-only</span>}
          <HealthBadge overview={overview} />
          {about?.canLogOut && (
            <a href="/logout" title={about.who === '' ? undefined : `You are ${about.who}`}>
              Log out
            </a>
          )}
        </div>
      </div>
      {!isConnected && (
        <p class="lost" role="status">
          The board does not answer; what you see is from before. Trying again …
        </p>
      )}
    </header>
  );
}
