import { normalize } from './normalize.ts';

/**
 * Characters of one kind that stand together. `cjk`: scripts without spaces between words, where any substring can be
 * searched; `word`: letters and digits of all others, where words can.
 */
export interface Run {
  kind: 'cjk' | 'word';
  /** folded, by code point */
  chars: string[];
  /** UTF-16 offsets of each character in the original */
  starts: number[];
  ends: number[];
}

/** A longer word is cut, in texts and in queries alike: engines limit the length of a token. */
export const MAX_WORD = 48;

const CJK =
  /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Hangul}\p{Script=Bopomofo}\p{Script=Thai}\p{Script=Lao}\p{Script=Khmer}\p{Script=Myanmar}\u30fc]/u;
const LETTER_OR_DIGIT = /[\p{L}\p{N}]/u;
const MARK = /\p{M}/u;

function kindOf(char: string): Run['kind'] | undefined {
  const code = char.codePointAt(0) ?? 0;
  if (code < 0x80) return (code >= 48 && code <= 57) || (code >= 97 && code <= 122) ? 'word' : undefined;
  if (code >= 0x4e00 && code <= 0x9fff) return 'cjk';
  if (!LETTER_OR_DIGIT.test(char) && !MARK.test(char)) return undefined;
  return CJK.test(char) ? 'cjk' : 'word';
}

/** The runs of a text, in order; everything else separates them. */
export function runsOf(text: string): Run[] {
  const { chars, starts, ends } = normalize(text);
  const runs: Run[] = [];
  let current: Run | undefined;
  chars.forEach((char, i) => {
    // A mark goes with what it stands on; alone it is nothing.
    const kind = MARK.test(char) ? current?.kind : kindOf(char);
    if (kind === undefined) {
      current = undefined;
      return;
    }
    if (current?.kind !== kind) {
      current = { kind, chars: [], starts: [], ends: [] };
      runs.push(current);
    }
    current.chars.push(char);
    current.starts.push(starts[i] ?? 0);
    current.ends.push(ends[i] ?? 0);
  });
  return runs;
}
