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
}

/** Asks in a dialog. Escape, and the button that has the focus at first, mean no. */
export function confirmed({ title, text, does, leaves = 'Back', isFinal = false }: Question): Promise<boolean> {
  const dialog = document.createElement('dialog');
  dialog.setAttribute('aria-labelledby', 'question');
  const heading = element('h2', title);
  heading.id = 'question';
  const no = element('button', leaves);
  const yes = element('button', does);
  yes.className = isFinal ? 'final' : 'primary';
  const buttons = element('div', '');
  buttons.className = 'buttons';
  buttons.append(no, yes);
  dialog.append(heading, element('p', text), buttons);
  document.body.append(dialog);
  dialog.showModal();
  return new Promise((resolve) => {
    no.addEventListener('click', () => dialog.close());
    yes.addEventListener('click', () => dialog.close('yes'));
    dialog.addEventListener('close', () => {
      dialog.remove();
      resolve(dialog.returnValue === 'yes');
    });
  });
}

function element<K extends keyof HTMLElementTagNameMap>(name: K, text: string): HTMLElementTagNameMap[K] {
  const made = document.createElement(name);
  made.textContent = text;
  return made;
}
