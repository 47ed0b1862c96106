import type { Kind } from './characters.ts';
import { type NormalText, normalize } from './normalize.ts';

/**
 * Characters of one kind with nothing between them. `cjk` are emoji and scripts without spaces between words, in which any
 * substring can be searched. `letters` and `digits` are of all other scripts, in which words and numbers can be searched.
 */
export interface Run {
  kind: Kind;
  /** folded, by code point */
  chars: string[];
  /** UTF-16 offsets of each character in the original */
  starts: number[];
  ends: number[];
}

/** Longer words and numbers are cut, both in texts and in queries, because engines limit the length of a token. */
export const MAX_WORD = 48;

/** The runs of a text, in order. Everything other than letters, digits, cjk characters and emoji separates runs. */
export function runsOf(text: string): Run[] {
  const normal = normalize(text);
  const runs: Run[] = [];
  let current: Run | undefined;
  normal.chars.forEach((_, i) => {
    const kindOfChar = normal.kinds[i];
    // A mark belongs to the character before it; without one it is ignored.
    const kind = kindOfChar === 'mark' ? current?.kind : kindOfChar;
    if (kind === undefined) {
      current = undefined;
      return;
    }
    if (current?.kind !== kind || normal.isApart[i]) {
      current = { kind, chars: [], starts: [], ends: [] };
      runs.push(current);
    }
    append(current, normal, i);
  });
  return runs;
}

/** What is cut off a long word belongs to its last character, so that highlighting covers the whole word. */
function append(run: Run, { chars, starts, ends }: NormalText, i: number): void {
  if (run.kind !== 'cjk' && run.chars.length === MAX_WORD) {
    run.ends[MAX_WORD - 1] = ends[i] ?? 0;
    return;
  }
  run.chars.push(chars[i] ?? '');
  run.starts.push(starts[i] ?? 0);
  run.ends.push(ends[i] ?? 0);
}
