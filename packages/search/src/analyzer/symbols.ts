import type { Phrase, WantedRun } from './phrases.ts';
import { type Run, runsOf } from './runs.ts';

/** A text in the form in which phrases are searched: a word or number is one symbol, and so is each cjk character. */
export interface SymbolText {
  symbols: string[];
  /** for each symbol its run, and the index of its first character in that run */
  runs: Run[];
  places: number[];
  /** bit i: symbol i begins a run, so something may be between it and the previous symbol */
  borders: Uint32Array;
}

export function symbolsOf(text: string): SymbolText {
  const [symbols, runs, places, borders]: [string[], Run[], number[], number[]] = [[], [], [], []];
  for (const run of runsOf(text)) {
    borders.push(symbols.length);
    for (const [place, symbol] of symbolsOfRun(run).entries()) {
      symbols.push(symbol);
      runs.push(run);
      places.push(place);
    }
  }
  return { symbols, runs, places, borders: bitsAt(borders, symbols.length) };
}

/** The symbols of a phrase, except an unfinished word at its end, which is compared separately. */
export interface PhraseSymbols {
  symbols: string[];
  /** bit i: no border may be before symbol i; undefined if borders are allowed everywhere */
  glued: Uint32Array | undefined;
  /** the unfinished word, which may be longer in the text */
  unfinished: string | undefined;
}

export function phraseSymbols(phrase: Phrase): PhraseSymbols {
  const last = phrase.at(-1);
  const isUnfinished = last?.prefix === true;
  const symbols: string[] = [];
  const glued: number[] = [];
  for (const run of isUnfinished ? phrase.slice(0, -1) : phrase) {
    for (const [place, symbol] of symbolsOfRun(run).entries()) {
      if (place > 0) glued.push(symbols.length);
      symbols.push(symbol);
    }
  }
  return {
    symbols,
    glued: glued.length > 0 ? bitsAt(glued, symbols.length) : undefined,
    unfinished: isUnfinished ? last.chars.join('') : undefined,
  };
}

const symbolsOfRun = ({ kind, chars }: Run | WantedRun): string[] => (kind === 'cjk' ? chars : [chars.join('')]);

function bitsAt(places: number[], length: number): Uint32Array {
  const bits = new Uint32Array((length >>> 5) + 1);
  for (const place of places) bits[place >>> 5] = (bits[place >>> 5] ?? 0) | (1 << (place & 31));
  return bits;
}

/** Whether the text has no border where the phrase forbids one, if the phrase starts at symbol `from`. 32 symbols per step. */
export function isGlued(borders: Uint32Array, glued: Uint32Array, from: number): boolean {
  const [word, shift] = [from >>> 5, from & 31];
  for (let i = 0; i < glued.length; i++) {
    const low = (borders[word + i] ?? 0) >>> shift;
    const high = shift === 0 ? 0 : (borders[word + i + 1] ?? 0) << (32 - shift);
    if (((low | high) & (glued[i] ?? 0)) !== 0) return false;
  }
  return true;
}
