import { finderOf } from './finder.ts';
import { phrasesOf } from './phrases.ts';

/** Characters of a field that are looked at; nobody reads on to the marks behind them. */
const MOST_CHARACTERS = 65_536;

/**
 * Wraps each hit of a query value in `<mark>…</mark>`, a phrase from its first character to its last; hits that overlap
 * or touch are one. The text itself is not escaped. Linear in the text.
 * @returns undefined if nothing is hit
 */
export function highlight(text: string, query: string): string | undefined {
  const seen = beginningOf(text);
  // At each offset how many hits begin there, less those that end.
  const changes = new Int32Array(seen.length + 1);
  let isHit = false;
  finderOf(phrasesOf(query))(seen, ({ start, end }) => {
    isHit = true;
    changes[start] = (changes[start] ?? 0) + 1;
    changes[end] = (changes[end] ?? 0) - 1;
    return false;
  });
  return isHit ? mark(text, changes) : undefined;
}

/** Not half a character: a surrogate alone is another one. */
function beginningOf(text: string): string {
  if (text.length <= MOST_CHARACTERS) return text;
  const isPair = (text.codePointAt(MOST_CHARACTERS - 1) ?? 0) > 0xffff;
  return text.slice(0, isPair ? MOST_CHARACTERS - 1 : MOST_CHARACTERS);
}

function mark(text: string, changes: Int32Array): string {
  const parts: string[] = [];
  let open = 0;
  let done = 0;
  changes.forEach((change, at) => {
    const before = open;
    open += change;
    if (before > 0 === open > 0) return;
    parts.push(text.slice(done, at), open > 0 ? '<mark>' : '</mark>');
    done = at;
  });
  parts.push(text.slice(done));
  return parts.join('');
}
