import { MAX_WORD, type Run, runsOf } from './runs.ts';

/**
 * Wraps each hit of a query value in `<mark>…</mark>`; overlapping hits are one. The text itself is not escaped.
 * @returns undefined where nothing is hit
 */
export function highlight(text: string, query: string): string | undefined {
  const wanted = runsOf(query);
  const lastWord = wanted.findLast(({ kind }) => kind === 'word');
  const ranges: [start: number, end: number][] = [];
  for (const run of runsOf(text)) {
    for (const want of wanted) {
      if (want.kind !== run.kind) continue;
      if (run.kind === 'cjk') ranges.push(...substrings(run, want));
      else if (matchesWord(run, want, want === lastWord)) ranges.push(span(run, 0, want.chars.length));
    }
  }
  return ranges.length === 0 ? undefined : mark(text, ranges);
}

function substrings(run: Run, want: Run): [number, number][] {
  const found: [number, number][] = [];
  for (let at = 0; at + want.chars.length <= run.chars.length; at++) {
    if (want.chars.every((char, i) => run.chars[at + i] === char)) found.push(span(run, at, want.chars.length));
  }
  return found;
}

function matchesWord(run: Run, want: Run, mayBePrefix: boolean): boolean {
  const text = run.chars.slice(0, MAX_WORD).join('');
  const wanted = want.chars.slice(0, MAX_WORD).join('');
  return mayBePrefix ? text.startsWith(wanted) : text === wanted;
}

const span = (run: Run, at: number, length: number): [number, number] => [
  run.starts[at] ?? 0,
  run.ends[Math.min(at + length, run.ends.length) - 1] ?? 0,
];

function mark(text: string, ranges: [number, number][]): string {
  ranges.sort(([a], [b]) => a - b);
  let marked = '';
  let done = 0;
  for (let i = 0; i < ranges.length; ) {
    const [start = 0] = ranges[i] ?? [];
    let end = start;
    for (; i < ranges.length && (ranges[i]?.[0] ?? 0) <= end; i++) end = Math.max(end, ranges[i]?.[1] ?? 0);
    marked += `${text.slice(done, start)}<mark>${text.slice(start, end)}</mark>`;
    done = end;
  }
  return marked + text.slice(done);
}
