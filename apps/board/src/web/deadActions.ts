import type { DeadGroup, DeadOutcome, DeadTarget, LetterDetails } from '../live/liveState.ts';
import { confirmed } from './confirm.ts';
import { count, counted } from './formats.ts';
import { act, ask, say } from './server.ts';
import { change, current, forget } from './state.ts';

type Deed = 'retry' | 'drop';

const PAST: Record<Deed, string> = { retry: 'being retried', drop: 'dropped' };

/** Names the action while it runs. */
export const pathOfTarget = (deed: Deed, target: DeadTarget): string => `${deed} ${JSON.stringify(target)}`;

/** Shows one letter whole, or no more. */
async function toggle(id: string): Promise<void> {
  if (current().letter?.id === id) return forget('letter');
  try {
    change({ letter: await ask<LetterDetails>(`/data/dead/${encodeURIComponent(id)}`) });
  } catch (error) {
    say(error);
  }
}

async function perform(deed: Deed, target: DeadTarget): Promise<void> {
  const name = pathOfTarget(deed, target);
  const done = ({ done, refused }: DeadOutcome) => {
    const [first] = refused;
    const text = `${counted(done, 'letter is', 'letters are')} ${PAST[deed]}.`;
    return first === undefined ? text : `${text} ${count(refused.length)} not: ${first.reason} (${first.id}).`;
  };
  await act(`/actions/dead/${deed}`, done, target, name);
  if ('id' in target || current().letter !== undefined) forget('letter');
}

const lettersOf = (n: number) => (n === 1 ? 'the letter' : `${count(n)} letters`);

async function afterAsking(deed: Deed, target: DeadTarget, letters: number): Promise<void> {
  const isSure =
    deed === 'retry'
      ? await confirmed({
          title: `Retry ${lettersOf(letters)}?`,
          text: 'Repair the cause first: what fails again keeps its letter, with one try more. Nobody receives anything twice.',
          does: 'Retry',
        })
      : await confirmed({
          title: `Drop ${lettersOf(letters)}?`,
          text: 'Whom it is about will never receive it, and stays counted as failed. This cannot be taken back.',
          does: letters === 1 ? 'Drop it' : `Drop ${count(letters)}`,
          leaves: 'Keep',
          isFinal: true,
        });
  if (isSure) await perform(deed, target);
}

/** What the page of dead letters can do. */
export const changeDead = {
  toggle,
  retryGroup: ({ target, letters }: DeadGroup) => afterAsking('retry', target, letters),
  dropGroup: ({ target, letters }: DeadGroup) => afterAsking('drop', target, letters),
  retryLetter: (id: string) => afterAsking('retry', { id }, 1),
  dropLetter: (id: string) => afterAsking('drop', { id }, 1),
};
