import { BroadcastRow } from './broadcastRow.tsx';
import { HealthSection } from './healthSection.tsx';
import { LanesSection, MemorySection, ProcessesSection, SearchSection } from './installationSections.tsx';
import { Empty, Section } from './parts.tsx';
import { current } from './state.ts';
import { ThroughputSection } from './throughputSection.tsx';
import { h, type JSX } from './vendor/preact.mjs';

/** Ended ones that the overview shows besides all that have not. */
const ENDED = 5;

export function OverviewPage(): JSX.Element {
  const { overview } = current();
  if (overview === undefined) return <p class="empty">Reading …</p>;
  const { status } = overview;
  return (
    <main>
      <h1 class="hidden">Overview</h1>
      <HealthSection overview={overview} />
      <BroadcastsSection />
      {status && (
        <div class="columns">
          <ThroughputSection />
          <div>
            <SearchSection overview={overview} />
            <MemorySection status={status} />
          </div>
        </div>
      )}
      {status && <LanesSection status={status} />}
      {status && <ProcessesSection status={status} />}
    </main>
  );
}

function BroadcastsSection(): JSX.Element {
  const { overview, about } = current();
  const all = overview?.broadcasts;
  const shown = all?.filter(
    (one, i) => one.finished_at === 0 || i - all.findIndex((two) => two.finished_at > 0) < ENDED,
  );
  return (
    <Section title="Broadcasts" aside={<NewLink isShown={about?.isReadOnly === false} />}>
      {shown !== undefined && shown.length > 0 && (
        <ul class="broadcasts">
          {shown.map((broadcast) => (
            <BroadcastRow key={broadcast.broadcast_no} broadcast={broadcast} />
          ))}
        </ul>
      )}
      {shown?.length === 0 && (
        <Empty>
          Nothing has been broadcast in the last days.{' '}
          {about?.isReadOnly
            ? 'Broadcasts appear here when they are created.'
            : 'Create one with a text and a list of recipients.'}
        </Empty>
      )}
      {shown !== undefined && shown.length > 0 && (
        <p class="more">
          <a href="/broadcasts">All broadcasts</a>
        </p>
      )}
    </Section>
  );
}

export function NewLink({ isShown }: { isShown: boolean }): JSX.Element | null {
  if (!isShown) return null;
  return (
    <a class="button primary" href="/broadcasts/new">
      New broadcast
    </a>
  );
}
