import { MAX_WORD, type Run, runsOf } from './runs.ts';

/** What an index holds: words, and of a cjk run each pair of neighbours and the last character alone. */
export interface Token {
  kind: Run['kind'];
  text: string;
}

/**
 * What a query asks for; all terms of it must occur. A phrase is a cjk run: tokens that follow each other, which is
 * exactly a substring. A single cjk character is the beginning of a token. Of the words the last one may be unfinished.
 */
export type Term =
  | { kind: 'phrase'; tokens: string[] }
  | { kind: 'character'; text: string }
  | { kind: 'word'; text: string; prefix: boolean };

const word = (run: Run) => run.chars.slice(0, MAX_WORD).join('');
const pairs = (chars: string[]) => chars.slice(0, -1).map((char, i) => char + (chars[i + 1] ?? ''));

/** Tokens of a text in order. The single character at the end of each run keeps a phrase from crossing into the next. */
export function tokensOf(text: string): Token[] {
  return runsOf(text).flatMap((run): Token[] => {
    if (run.kind === 'word') return [{ kind: 'word', text: word(run) }];
    const tokens = [...pairs(run.chars), run.chars.at(-1) ?? ''];
    return tokens.map((token) => ({ kind: 'cjk', text: token }));
  });
}

/** Terms of a query value; none where it holds no letter or digit, and then it finds nothing. */
export function termsOf(query: string): Term[] {
  const runs = runsOf(query);
  const lastWord = runs.findLastIndex(({ kind }) => kind === 'word');
  const terms = runs.map((run, i): Term => {
    if (run.kind === 'word') return { kind: 'word', text: word(run), prefix: i === lastWord };
    if (run.chars.length === 1) return { kind: 'character', text: run.chars[0] ?? '' };
    return { kind: 'phrase', tokens: pairs(run.chars) };
  });
  return [...new Map(terms.map((term) => [JSON.stringify(term), term])).values()];
}
