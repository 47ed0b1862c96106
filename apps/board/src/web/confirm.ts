import { exactTime, localMinute, secondsOf } from './formats.ts';

export interface Question {
  title: string;
  /** what will happen */
  text: string;
  /** the button that does it: a verb */
  does: string;
  /** the button that does not; `Back` */
  leaves?: string;
  /** it cannot be taken back */
  isFinal?: boolean;
  /** it may happen later */
  when?: When;
}

/** Asks for a time as well. */
interface When {
  label: string;
  /** in seconds, where it begins; 0: no time */
  at: number;
  /** the button, once a time is given */
  does: string;
}

/** A yes. */
export interface Answer {
  /** the time that was given, in seconds; 0: none, or that was not asked */
  at: number;
}

/** Asks in a dialog. Escape, and the button that has the focus at first, mean no. @returns undefined for no */
export function asked({
  title,
  text,
  does,
  leaves = 'Back',
  isFinal = false,
  when,
}: Question): Promise<Answer | undefined> {
  const dialog = document.createElement('dialog');
  dialog.setAttribute('aria-labelledby', 'question');
  const heading = element('h2', title);
  heading.id = 'question';
  const no = element('button', leaves);
  no.type = 'button';
  no.autofocus = true;
  const yes = element('button', does);
  yes.className = isFinal ? 'final' : 'primary';
  const buttons = element('div', '');
  buttons.className = 'buttons';
  buttons.append(no, yes);
  const form = element('form', '');
  const time = when && timeField(when, (isGiven) => yes.replaceChildren(isGiven ? when.does : does));
  form.append(heading, element('p', text), ...(time ? [time.field] : []), buttons);
  dialog.append(form);
  document.body.append(dialog);
  dialog.showModal();
  return new Promise((resolve) => {
    no.addEventListener('click', () => dialog.close());
    form.addEventListener('submit', (event) => {
      event.preventDefault();
      dialog.close('yes');
    });
    dialog.addEventListener('close', () => {
      dialog.remove();
      resolve(dialog.returnValue === 'yes' ? { at: time?.at() ?? 0 } : undefined);
    });
  });
}

export const confirmed = async (question: Question): Promise<boolean> => (await asked(question)) !== undefined;

/** An input for a time that lies ahead, which says what it means to the reader. */
function timeField({ label, at, does: _ }: When, tell: (isGiven: boolean) => void) {
  const field = element('div', '');
  field.className = 'field asked';
  const name = element('label', label);
  name.htmlFor = 'question-time';
  const input = element('input', '');
  input.id = 'question-time';
  input.type = 'datetime-local';
  const now = Date.now() / 1000;
  const first = at > now ? localMinute(at) : '';
  input.value = first;
  input.min = localMinute(now);
  input.setAttribute('aria-describedby', 'question-hint');
  const hint = element('p', '');
  hint.id = 'question-hint';
  hint.className = 'hint';
  // A time that was not touched keeps its seconds, which the input does not show.
  const chosen = () => (input.value === first && first !== '' ? at : secondsOf(input.value));
  const changed = () => {
    hint.textContent = whenHint(chosen());
    tell(chosen() > 0);
  };
  input.addEventListener('input', changed);
  // Who types a time does not mean yes yet.
  input.addEventListener('keydown', (event) => event.key === 'Enter' && event.preventDefault());
  changed();
  field.append(name, input, hint);
  return { field, at: chosen };
}

/** What an input without a time zone means. */
export const whenHint = (at: number): string =>
  at > 0 ? exactTime(at) : `Where you are (${exactTime(Date.now() / 1000).split(' ')[2]}); empty: at once.`;

function element<K extends keyof HTMLElementTagNameMap>(name: K, text: string): HTMLElementTagNameMap[K] {
  const made = document.createElement(name);
  made.textContent = text;
  return made;
}
