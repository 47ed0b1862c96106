import type { LetterDetails } from '../live/liveState.ts';
import { changeDead } from './deadActions.ts';
import { count, counted } from './formats.ts';
import { Time, Told } from './parts.tsx';
import { current } from './state.ts';
import { h, type JSX } from './vendor/preact.mjs';

/** One letter whole: each of its problems, who was not reached, and what lies at the key now. */
export function LetterPanel({ letter }: { letter: LetterDetails }): JSX.Element {
  const { id, queue, tries, firstAt, lastAt, problems, raw, isRetryable } = letter;
  const isReadOnly = current().about?.isReadOnly !== false;
  return (
    <div class="letter">
      <p>
        <span class="strong">{id}</span> · of queue {queue || 'unknown'} · {counted(tries, 'try', 'tries')} · first{' '}
        <Time at={firstAt / 1000} />, last <Time at={lastAt / 1000} />
      </p>
      {problems.map(({ code, title, fix, samples, more }) => (
        <div key={`${code} ${title}`}>
          <p>
            <code>{code}</code> {title}
          </p>
          <p class="hint">
            <Told text={fix} />
          </p>
          <ul class="targets">
            {samples.map(({ uid, channel, key, now }) => (
              <li key={`${uid} ${channel} ${key}`}>
                {uid ?? channel} {key && <code>{key}</code>} {now !== undefined && `now: ${now}`}
              </li>
            ))}
            {more > 0 && <li class="hint">… and {count(more)} more</li>}
          </ul>
        </div>
      ))}
      {raw !== undefined && <pre>{raw}</pre>}
      {!isReadOnly && (
        <div class="actions">
          {isRetryable && (
            <button type="button" aria-label={`Retry this letter: ${id}`} onClick={() => changeDead.retryLetter(id)}>
              Retry this letter
            </button>
          )}
          <button type="button" aria-label={`Drop this letter: ${id}`} onClick={() => changeDead.dropLetter(id)}>
            Drop this letter
          </button>
        </div>
      )}
    </div>
  );
}
