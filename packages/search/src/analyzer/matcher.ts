import { finderOf } from './finder.ts';
import { phrasesOf } from './phrases.ts';

/** `prefix`: found only because a word begins with the last word of the value; ranks after `whole` (rule 8) */
export type Match = 'whole' | 'prefix';

/** Whether a text is found, and how. */
export type Matcher = (text: string) => Match | undefined;

/**
 * The definition of "found" (docs/api.md §2, text rules 1 to 8): all phrases of the value occur in the text. Linear in
 * the text. Both engines ask their index for candidates and verify them here.
 */
export function matcherOf(value: string): Matcher {
  const phrases = phrasesOf(value);
  const find = finderOf(phrases);
  return (text) => {
    if (phrases.length === 0) return undefined;
    const found = new Map<number, Match>();
    let whole = 0;
    find(text, ({ phrase, how }) => {
      const known = found.get(phrase);
      if (known === undefined || (known === 'prefix' && how === 'whole')) found.set(phrase, how);
      if (how === 'whole' && known !== 'whole') whole++;
      return whole === phrases.length;
    });
    if (found.size < phrases.length) return undefined;
    return whole === phrases.length ? 'whole' : 'prefix';
  };
}
