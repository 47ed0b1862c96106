import { finderOf } from './finder.ts';
import { phrasesOf } from './phrases.ts';

/** Only so many characters of a field are highlighted; nobody reads further. */
const MOST_CHARACTERS = 65_536;

/**
 * Wraps each hit of a query value in `<mark>…</mark>`. A phrase is wrapped from its first character to its last; hits that
 * overlap or touch become one. The text itself is not escaped. Linear in the text.
 * @returns undefined if nothing is hit
 */
export function highlight(text: string, query: string): string | undefined {
  const seen = beginningOf(text);
  // For each offset the number of hits that begin there, minus the number that end there.
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

/** The text's first characters. A surrogate pair is not split: half of it is another character. */
function beginningOf(text: string): string {
  if (text.length <= MOST_CHARACTERS) return text;
  const isPair = (text.codePointAt(MOST_CHARACTERS - 1) ?? 0) > 0xffff;
  return text.slice(0, isPair ? MOST_CHARACTERS - 1 : MOST_CHARACTERS);
}

function mark(text: string, changes: Int32Array): string {
  const parts: string[] = [];
  let open = 0;
  let done = 0;
  changes.forEach((change, offset) => {
    const before = open;
    open += change;
    if (before > 0 === open > 0) return;
    parts.push(text.slice(done, offset), open > 0 ? '<mark>' : '</mark>');
    done = offset;
  });
  parts.push(text.slice(done));
  return parts.join('');
}
