import type { Kind } from './characters.ts';
import { type NormalText, normalize } from './normalize.ts';

/**
 * Characters of one kind that stand together, without anything between them. `cjk`: scripts without spaces between
 * words, and emoji, where any substring can be searched; `letters` and `digits` of all others, where words and numbers can.
 */
export interface Run {
  kind: Kind;
  /** folded, by code point */
  chars: string[];
  /** UTF-16 offsets of each character in the original */
  starts: number[];
  ends: number[];
}

/** Longer words and numbers are cut, in texts and in queries alike: engines limit the length of a token. */
export const MAX_WORD = 48;

/** The runs of a text, in order; everything that is no letter, digit, cjk character or emoji separates them. */
export function runsOf(text: string): Run[] {
  const normal = normalize(text);
  const runs: Run[] = [];
  let current: Run | undefined;
  normal.chars.forEach((_, i) => {
    const own = normal.kinds[i];
    // A mark goes with what it stands on; alone it is nothing.
    const kind = own === 'mark' ? current?.kind : own;
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

/** What is cut off a long word belongs to its last character, for whoever marks it in the original. */
function append(run: Run, { chars, starts, ends }: NormalText, i: number): void {
  if (run.kind !== 'cjk' && run.chars.length === MAX_WORD) {
    run.ends[MAX_WORD - 1] = ends[i] ?? 0;
    return;
  }
  run.chars.push(chars[i] ?? '');
  run.starts.push(starts[i] ?? 0);
  run.ends.push(ends[i] ?? 0);
}
