import type { DeadGroup } from '../live/liveState.ts';
import { changeDead, pathOfTarget } from './deadActions.ts';
import { count, counted } from './formats.ts';
import { LetterPanel } from './letterPanel.tsx';
import { Badge, Empty, Time, Told } from './parts.tsx';
import { current } from './state.ts';
import { h, type JSX } from './vendor/preact.mjs';

const SHOWN_TARGETS = 10;

/** What could not be stored or indexed, by reasons, with what to do about each. */
export function DeadPage(): JSX.Element {
  const { dead } = current();
  return (
    <main>
      <div class="title">
        <h1>Dead letters</h1>
        {dead && dead.total > 0 && <p class="aside">{counted(dead.total, 'letter')}</p>}
      </div>
      {dead === undefined && <p class="empty">Reading …</p>}
      {dead?.problem && <p class="empty">{dead.problem}</p>}
      {dead?.groups?.length === 0 && (
        <section aria-label="None">
          <Empty>
            There are none: everything that was accepted could be stored. What cannot be lies here, with its reason and
            a way to mend it.
          </Empty>
        </section>
      )}
      {dead?.groups?.map((group) => (
        <Group key={JSON.stringify(group.target)} group={group} />
      ))}
      {dead && dead.more > 0 && <p class="hint">{counted(dead.more, 'more group')} are not listed.</p>}
      {dead && dead.unread > 0 && (
        <p class="hint">Only the newest letters are grouped; {count(dead.unread)} older ones were not looked at.</p>
      )}
    </main>
  );
}

function Group({ group }: { group: DeadGroup }): JSX.Element {
  const { title, fix, letters, retrying, tries, firstAt, lastAt, ids, target } = group;
  const { letter } = current();
  const id = `letters-${ids[0]}`;
  return (
    <section class="letters" aria-labelledby={id}>
      <div class="title">
        <h2 id={id}>
          <Badge shape="failed" tone="failed">
            {title}
          </Badge>
        </h2>
        <GroupActions group={group} />
      </div>
      <p>
        <span class="strong">{whom(group)}</span> in {counted(letters, 'letter')}
        {about(group)} · {counted(tries, 'try', 'tries')} · first <Time at={firstAt} />, last <Time at={lastAt} />
        {retrying > 0 && <span class="strong"> · {counted(retrying, 'letter')} being retried</span>}
      </p>
      {fix !== '' && (
        <p class="fix">
          <span class="strong">To mend it: </span>
          <Told text={fix} />
        </p>
      )}
      <Targets group={group} />
      <div class="ids">
        {ids.map((one) => (
          <button
            key={one}
            type="button"
            class="quiet"
            aria-expanded={letter?.id === one}
            onClick={() => changeDead.toggle(one)}
          >
            {one}
          </button>
        ))}
        {letters > ids.length && <span class="hint">… and {count(letters - ids.length)} more</span>}
      </div>
      {letter && ids.includes(letter.id) && 'kind' in target && <LetterPanel letter={letter} />}
    </section>
  );
}

function GroupActions({ group }: { group: DeadGroup }): JSX.Element | null {
  const { about: facts, busy } = current();
  if (facts === undefined || facts.isReadOnly) return null;
  return (
    <div class="actions">
      {group.isRetryable && (
        <button
          type="button"
          aria-label={`Retry: ${group.title}`}
          disabled={busy.has(pathOfTarget('retry', group.target))}
          onClick={() => changeDead.retryGroup(group)}
        >
          Retry
        </button>
      )}
      <button
        type="button"
        aria-label={`Drop: ${group.title}`}
        disabled={busy.has(pathOfTarget('drop', group.target))}
        onClick={() => changeDead.dropGroup(group)}
      >
        Drop
      </button>
    </div>
  );
}

/** The first ones that were not reached, and the keys that are to blame. */
function Targets({ group: { samples, count: all } }: { group: DeadGroup }): JSX.Element | null {
  const shown = samples.slice(0, SHOWN_TARGETS);
  if (shown.length === 0) return null;
  return (
    <details>
      <summary>
        Who: {shown[0]?.uid ?? shown[0]?.channel ?? shown[0]?.key}
        {all > 1 && `, and ${count(all - 1)} more`}
      </summary>
      <ul class="targets">
        {shown.map(({ uid, channel, key }) => (
          <li key={`${uid} ${channel} ${key}`}>
            {uid ?? channel} {key && <code>{key}</code>}
          </li>
        ))}
        {all > shown.length && <li class="hint">… and {count(all - shown.length)} more: ruyi dead export names all</li>}
      </ul>
    </details>
  );
}

const NOUNS: Record<string, [string, string]> = {
  message: ['message', 'messages'],
  recipients: ['recipient', 'recipients'],
  group_command: ['command to a group', 'commands to groups'],
  document: ['document of search', 'documents of search'],
};

function whom({ count: n, target }: DeadGroup): string {
  const [one, many] = ('kind' in target && NOUNS[target.kind]) || ['job', 'jobs'];
  return counted(n, one, many);
}

function about({ target, from }: DeadGroup): JSX.Element | null {
  if (!('kind' in target)) return null;
  const no = target.broadcast ?? target.batch;
  return (
    <span>
      {no !== undefined && (
        <span>
          {' '}
          · {target.broadcast === undefined ? 'batch' : 'broadcast'} <a href={`/broadcasts/${no}`}>{no}</a>
        </span>
      )}
      {from !== undefined && ` · from ${from}`}
    </span>
  );
}
