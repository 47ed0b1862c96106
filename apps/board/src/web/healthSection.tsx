import type { Check, Overview } from '../live/liveState.ts';
import { Badge } from './parts.tsx';
import { h, type JSX } from './vendor/preact.mjs';

const NAMES: Record<string, string> = {
  redis: 'Redis',
  redis_settings: 'Redis settings',
  memory: 'Memory',
  workers: 'Workers',
  lanes: 'Lanes',
  indexer: 'Indexer',
  search: 'Search',
  backlog: 'Backlog',
  dead_letters: 'Dead letters',
};

const healthWord = ({ problem, health }: Overview): 'ok' | 'degraded' | 'down' | 'unknown' =>
  problem ? 'down' : (health?.status ?? 'unknown');

const SHAPES = { ok: 'done', degraded: 'warning', down: 'failed', unknown: 'open' } as const;

const nameOf = (name: string) => NAMES[name] ?? name.replaceAll('_', ' ');

/** The state of the whole in a word; the same on every page. */
export function HealthBadge({ overview }: { overview: Overview | undefined }): JSX.Element {
  const word = overview === undefined ? 'unknown' : healthWord(overview);
  const [shape, text] = {
    ok: ['done', 'Healthy'] as const,
    degraded: ['warning', 'Degraded'] as const,
    down: ['failed', 'Down'] as const,
    unknown: ['open', 'Looking …'] as const,
  }[word];
  return (
    <span role="status">
      <Badge shape={shape} tone={word}>
        {text}
      </Badge>
    </span>
  );
}

/** What is wrong and how to mend it; or one calm line. */
export function HealthSection({ overview }: { overview: Overview }): JSX.Element {
  const { problem, health } = overview;
  const checks = health?.checks ?? [];
  // While Redis is away nothing else can be looked at, and saying so nine times helps nobody.
  const wrong = checks.filter(({ status, message }) => status !== 'ok' && (status !== 'unknown' || message !== ''));
  const fine = checks.filter(({ status }) => status === 'ok');
  if (!problem && health?.status === 'ok' && wrong.length === 0) {
    return (
      <section class="health ok" aria-label="Health">
        <Badge shape="done" tone="ok">
          Everything works
        </Badge>
        <span class="checks">{fine.map(({ name }) => nameOf(name)).join(' · ')}</span>
      </section>
    );
  }
  return (
    <section class="health" aria-label="Health">
      {problem && <Wrong check={{ name: 'API', status: 'down', ...problem }} />}
      {!problem && wrong.map((check) => <Wrong key={check.name} check={check} />)}
      {!problem && fine.length > 0 && (
        <p class="checks">In order: {fine.map(({ name }) => nameOf(name)).join(', ')}.</p>
      )}
    </section>
  );
}

function Wrong({ check: { name, status, message, fix } }: { check: Check }): JSX.Element {
  return (
    <div class={`wrong ${status}`}>
      <Badge shape={SHAPES[status]} tone={status}>
        {nameOf(name)}: {status}
      </Badge>
      <div>
        {message !== '' && <p class="strong">{message}</p>}
        {fix !== '' && <p>{fix}</p>}
      </div>
    </div>
  );
}
