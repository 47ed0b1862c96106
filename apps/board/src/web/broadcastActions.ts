import type { BroadcastAnswer, BroadcastState, ShownBroadcast } from '../live/liveState.ts';
import { asked, type Question } from './confirm.ts';
import { bytes, count, counted, duration, exactTime } from './formats.ts';
import { act } from './server.ts';
import { current } from './state.ts';

export type Verb = 'start' | 'pause' | 'resume' | 'cancel' | 'retry';

/** What can be done in each state. A batch can only be watched. */
const VERBS: Record<BroadcastState, Verb[]> = {
  open: ['start', 'cancel'],
  scheduled: ['start', 'cancel'],
  running: ['pause', 'cancel'],
  paused: ['resume', 'cancel'],
  done: [],
  cancelled: [],
  failed: [],
};

export function verbsOf({ state, failed, is_batch }: ShownBroadcast): Verb[] {
  if (is_batch) return [];
  const hasEnded = state === 'done' || state === 'cancelled' || state === 'failed';
  return hasEnded && failed > 0 ? ['retry'] : VERBS[state];
}

export const titleOf = ({ name, is_batch, broadcast_no }: ShownBroadcast): string =>
  name || (is_batch ? `Batch ${broadcast_no}` : `Broadcast ${broadcast_no}`);

/** Recipients about whom nothing is decided yet. */
export const leftOf = ({ total, stored, failed, cancelled }: ShownBroadcast): number =>
  Math.max(0, total - stored - failed - cancelled);

export const pathOf = (no: string, verb: Verb): string => `/actions/broadcasts/${encodeURIComponent(no)}/${verb}`;

/** Pausing is what helps in a hurry and can be taken back, so it does not ask. */
const QUESTIONS: Record<Exclude<Verb, 'pause'>, (broadcast: ShownBroadcast) => Question> = {
  start: (one) => ({
    title: one.state === 'scheduled' ? `When is “${titleOf(one)}” sent?` : `Send “${titleOf(one)}”?`,
    text:
      one.total > 0
        ? `${counted(one.total, 'recipient')}, about ${duration(one.estimate.seconds)} and ${bytes(one.estimate.redis_bytes)} of Redis memory${roomText()}. What is sent cannot be called back.`
        : 'Its recipients are counted now, and it is sent to all of them. What is sent cannot be called back.',
    does: one.total > 0 ? `Send to ${count(one.total)}` : 'Send',
    when: {
      label: 'Send at',
      at: one.start_at,
      does: one.total > 0 ? `Schedule for ${count(one.total)}` : 'Schedule',
    },
  }),
  resume: (one) => ({
    title: `Resume “${titleOf(one)}”?`,
    text: `It goes on with the ${counted(leftOf(one), 'recipient')} that are left.`,
    does: 'Resume',
  }),
  cancel: (one) => ({
    title: `Cancel “${titleOf(one)}”?`,
    text:
      one.state === 'open'
        ? 'Its lists are removed and nobody receives it. This cannot be taken back.'
        : `Whoever has it keeps it; up to ${counted(leftOf(one), 'recipient')} will not receive it. This cannot be taken back.`,
    does: 'Cancel broadcast',
    leaves: 'Keep it',
    isFinal: true,
  }),
  retry: (one) => ({
    title: `Retry “${titleOf(one)}”?`,
    text: `The ${counted(one.failed, 'recipient')} for whom it failed are tried again; each receives it once. Repair the cause first.`,
    does: `Retry ${count(one.failed)}`,
  }),
};

const DONE: Record<Verb, (after: BroadcastAnswer) => string> = {
  start: ({ state, start_at }) => (state === 'scheduled' ? `is sent at ${exactTime(start_at)}` : 'started'),
  pause: () => 'is pausing: what a lane has begun is still finished',
  resume: () => 'resumed',
  cancel: () => 'cancelled: what a lane has begun is still finished',
  retry: () => 'is retried',
};

/** Asks where it must, and tells the board. */
export async function perform(verb: Verb, broadcast: ShownBroadcast): Promise<void> {
  const answer = verb === 'pause' ? { at: 0 } : await asked(QUESTIONS[verb](broadcast));
  if (answer === undefined) return;
  const body = verb === 'start' ? { start_at: answer.at } : {};
  const done = (after: BroadcastAnswer) => `“${titleOf(broadcast)}” ${DONE[verb](after)}.`;
  await act(pathOf(broadcast.broadcast_no, verb), done, body);
}

/** ` (3.1 GB are free)`, of the memory that Redis may take. */
export function roomText(): string {
  const nodes = current().overview?.status?.redis ?? [];
  if (nodes.length === 0 || nodes.some(({ memory_max_bytes: max }) => max <= 0)) return '';
  const free = nodes.reduce((sum, { memory_bytes: used, memory_max_bytes: max }) => sum + max - used, 0);
  return ` (${bytes(Math.max(0, free))} are free)`;
}
