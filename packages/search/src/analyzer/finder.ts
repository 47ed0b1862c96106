import { Automaton } from './automaton.ts';
import type { Phrase } from './phrases.ts';
import { isGlued, type PhraseSymbols, phraseSymbols, type SymbolText, symbolsOf } from './symbols.ts';

/** A place at which a phrase occurs in a text. */
interface Occurrence {
  /** index of the phrase */
  phrase: number;
  /** `prefix`: the word in the text is longer */
  how: 'whole' | 'prefix';
  /** UTF-16 offsets in the original text; of a longer word or number only the part that was asked for */
  start: number;
  end: number;
}

/**
 * Calls `onFound` for each occurrence of the phrases in a text, until it returns true. Linear in the text, whatever the
 * phrases are: each symbol costs one step of the automaton and one call per pattern that ends there.
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

/** @param last the symbol at which the automaton found the end of the phrase's symbols */
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

/** Finds numbers inside longer ones, by length: a number of the text has at most 45 parts of one length. */
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
      for (let from = 0; from + length <= run.chars.length; from++) {
        const part = isSimple ? text.slice(from, from + length) : run.chars.slice(from, from + length).join('');
        const phrase = known.get(part);
        const [start, end] = [run.starts[from] ?? 0, run.ends[from + length - 1] ?? 0];
        if (phrase !== undefined) yield { phrase, how: 'whole', start, end };
      }
    }
  };
}
