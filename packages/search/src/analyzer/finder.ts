import { Automaton } from './automaton.ts';
import type { Phrase } from './phrases.ts';
import { isGlued, type PhraseSymbols, phraseSymbols, type SymbolText, symbolsOf } from './symbols.ts';

/** A place at which a phrase occurs in a text. */
interface Occurrence {
  /** index of the phrase */
  phrase: number;
  /** `prefix`: the text has a longer word there */
  how: 'whole' | 'prefix';
  /** UTF-16 offsets in the original text; of a longer word or number the part that was asked for */
  start: number;
  end: number;
}

/**
 * Tells of all occurrences of the phrases in a text, until it is told to stop (true). Linear in the text, whatever is
 * asked: each symbol costs a step of the automaton, and what ends at it.
 */
export type Finder = (text: string, onFound: (occurrence: Occurrence) => boolean) => void;

export function finderOf(phrases: readonly Phrase[]): Finder {
  const wanted = phrases.map(phraseSymbols);
  const automaton = new Automaton(wanted.map(({ symbols }) => symbols));
  const inside = insideFinder(phrases);
  const unfinished = wanted.findIndex(({ symbols, unfinished }) => symbols.length === 0 && unfinished !== undefined);
  return (text, onFound) => {
    const read = symbolsOf(text);
    let isDone = false;
    const tell = (occurrence: Occurrence | undefined) => {
      if (occurrence) isDone ||= onFound(occurrence);
      return isDone;
    };
    automaton.find(read.symbols, (phrase, last) => tell(occurrenceAt(read, wanted[phrase], phrase, last)));
    for (let i = 0; i < read.symbols.length && !isDone; i++) {
      if (unfinished >= 0) tell(occurrenceAt(read, wanted[unfinished], unfinished, i - 1));
      for (const occurrence of inside(read, i)) tell(occurrence);
    }
  };
}

/** @param last the symbol at which the automaton found the phrase's own to end */
function occurrenceAt(
  text: SymbolText,
  wanted: PhraseSymbols | undefined,
  phrase: number,
  last: number,
): Occurrence | undefined {
  if (!wanted) return undefined;
  const from = last + 1 - wanted.symbols.length;
  if (wanted.glued && !isGlued(text.borders, wanted.glued, from)) return undefined;
  const start = startOf(text, from);
  const { unfinished } = wanted;
  if (unfinished === undefined) return { phrase, how: 'whole', start, end: endOf(text, last) };
  const [word, run] = [text.symbols[last + 1], text.runs[last + 1]];
  if (run?.kind !== 'letters' || !word?.startsWith(unfinished)) return undefined;
  if (word === unfinished) return { phrase, how: 'whole', start, end: endOf(text, last + 1) };
  return { phrase, how: 'prefix', start, end: run.ends[Array.from(unfinished).length - 1] ?? start };
}

const startOf = ({ runs, places }: SymbolText, symbol: number) => runs[symbol]?.starts[places[symbol] ?? 0] ?? 0;

function endOf({ runs, places }: SymbolText, symbol: number): number {
  const run = runs[symbol];
  return (run?.kind === 'cjk' ? run.ends[places[symbol] ?? 0] : run?.ends.at(-1)) ?? 0;
}

/** Numbers that may be inside a longer one, by their length: a number of the text has 45 stretches of a length at most. */
function insideFinder(phrases: readonly Phrase[]) {
  const byLength = new Map<number, Map<string, number>>();
  phrases.forEach(([run], phrase) => {
    if (!run?.inside) return;
    const known = byLength.get(run.chars.length) ?? new Map<string, number>();
    byLength.set(run.chars.length, known.set(run.chars.join(''), phrase));
  });
  return function* find({ symbols, runs }: SymbolText, symbol: number): Generator<Occurrence> {
    const [text, run] = [symbols[symbol] ?? '', runs[symbol]];
    if (run?.kind !== 'digits') return;
    const isSimple = text.length === run.chars.length;
    for (const [length, known] of byLength) {
      for (let at = 0; at + length <= run.chars.length; at++) {
        const part = isSimple ? text.slice(at, at + length) : run.chars.slice(at, at + length).join('');
        const phrase = known.get(part);
        const [start, end] = [run.starts[at] ?? 0, run.ends[at + length - 1] ?? 0];
        if (phrase !== undefined) yield { phrase, how: 'whole', start, end };
      }
    }
  };
}
