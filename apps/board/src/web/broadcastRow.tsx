import type { BroadcastState, ShownBroadcast } from '../live/liveState.ts';
import { leftOf, pathOf, perform, titleOf, type Verb, verbsOf } from './broadcastActions.ts';
import { count, counted, duration, percent } from './formats.ts';
import type { Shape } from './icons.tsx';
import { Badge, Time } from './parts.tsx';
import { current } from './state.ts';
import { h, type JSX } from './vendor/preact.mjs';

const WORDS: Record<Verb, string> = {
  start: 'Review and send',
  pause: 'Pause',
  resume: 'Resume',
  cancel: 'Cancel',
  retry: 'Retry failed',
};

export function StateBadge({ state }: { state: BroadcastState }): JSX.Element {
  const shape: Shape = state;
  return (
    <Badge shape={shape} tone={state}>
      {state}
    </Badge>
  );
}

/** Buttons for what can be done now. None of them is there with BOARD_READONLY. */
export function Actions({
  broadcast,
  isReview = false,
}: {
  broadcast: ShownBroadcast;
  isReview?: boolean;
}): JSX.Element {
  const { about, busy } = current();
  const verbs = about === undefined || about.isReadOnly ? [] : verbsOf(broadcast);
  const title = titleOf(broadcast);
  const isScheduled = broadcast.state === 'scheduled';
  const [sends, reviews] = isScheduled ? ['Change time', 'Change time'] : ['Send', WORDS.start];
  return (
    <div class="actions">
      {verbs.map((verb) =>
        verb === 'start' && !isReview ? (
          <a
            key={verb}
            class="button"
            href={`/broadcasts/${broadcast.broadcast_no}`}
            aria-label={`${reviews}: ${title}`}
          >
            {reviews}
          </a>
        ) : (
          <button
            key={verb}
            type="button"
            class={verb === 'start' ? 'primary' : ''}
            aria-label={`${verb === 'start' ? sends : WORDS[verb]}: ${title}`}
            disabled={busy.has(pathOf(broadcast.broadcast_no, verb))}
            onClick={() => perform(verb, broadcast)}
          >
            {verb === 'start' ? `${sends} …` : WORDS[verb]}
          </button>
        ),
      )}
    </div>
  );
}

/** How far it is: a bar, and the same in words. */
export function Progress({ broadcast }: { broadcast: ShownBroadcast }): JSX.Element {
  const { total, stored, failed, cancelled, state, rate_now, eta_seconds, duplicates, accepted } = broadcast;
  if (state === 'open') {
    return (
      <div class="progress">
        <p>{accepted === 0 ? 'no recipients yet' : counted(accepted - duplicates, 'recipient')}, not sent</p>
      </div>
    );
  }
  return (
    <div class="progress">
      <progress max={Math.max(1, total)} value={stored} aria-label={`Progress of ${titleOf(broadcast)}`} />
      <p>
        <span class="strong">{count(stored)}</span> of {count(total)} stored · {percent(stored, total)}
        {failed > 0 && (
          <a class="failures" href={`/broadcasts/${broadcast.broadcast_no}#failures`}>
            {count(failed)} failed
          </a>
        )}
        {cancelled > 0 && <span> · {count(cancelled)} cancelled</span>}
      </p>
      {state === 'running' && (
        <p class="pace">
          {count(rate_now)}/s{leftOf(broadcast) > 0 && ` · ${duration(eta_seconds)} left`}
        </p>
      )}
    </div>
  );
}

/** What happened to it last; of one that waits for its time, what will. */
function latestOf({ state, start_at, created_at, started_at, finished_at }: ShownBroadcast): [string, number] {
  if (finished_at > 0) return ['ended', finished_at];
  if (started_at > 0) return ['started', started_at];
  return state === 'scheduled' ? ['starts', start_at] : ['created', created_at];
}

/** A broadcast in a list. */
export function BroadcastRow({ broadcast }: { broadcast: ShownBroadcast }): JSX.Element {
  const { broadcast_no: no, from_uid } = broadcast;
  const [word, at] = latestOf(broadcast);
  return (
    <li class={`broadcast ${broadcast.state}`}>
      <StateBadge state={broadcast.state} />
      <div class="what">
        <a class="name" href={`/broadcasts/${no}`}>
          {titleOf(broadcast)}
        </a>
        <p>
          {broadcast.name !== '' && <span class="no">{no} · </span>}
          {broadcast.is_batch && broadcast.name !== '' ? 'batch ' : ''}from {from_uid || 'the system'} · {word}{' '}
          <Time at={at} />
        </p>
      </div>
      <Progress broadcast={broadcast} />
      <Actions broadcast={broadcast} />
    </li>
  );
}
