import { isCompatibilitySymbol, isEmoji, isMark, type Kind, kindOf } from './characters.ts';
import { LATIN_LETTERS } from './latinLetters.ts';
import { RADICALS } from './radicals.ts';
import { simplified } from './simplified.ts';

/** One character of a text with its marks, folded for searching. */
export interface Folded {
  /** code points; empty if nothing is left of the character */
  chars: string[];
  /** the kind of each code point; `mark` belongs to the character before it */
  kinds: (Kind | 'mark' | undefined)[];
  /** whether it is a compatibility symbol, with a border on either side (rule 2) */
  isApart: boolean;
}

/**
 * Scripts whose marks are accents, which many people leave out. In Thai or Hindi a mark is a vowel, in kana it changes the
 * sound, so it stays.
 */
const ACCENTED = /[\p{Script=Latin}\p{Script=Greek}\p{Script=Cyrillic}]/u;
const ACCENTS = /([\p{Script=Latin}\p{Script=Greek}\p{Script=Cyrillic}])\p{M}+/gu;
/** Here NFD would also decompose different letters (آ into ا and a mark), so only marks that remain after NFC are removed. */
const POINTS = /([\p{Script=Arabic}\p{Script=Hebrew}\p{N}])\p{M}+/gu;
const HAS_POINTS = /[\p{Script=Arabic}\p{Script=Hebrew}\p{N}]\p{M}/u;
/** NFKC turns marks that stand alone in the presentation forms into a mark on a space or a tatweel. */
const TATWEEL = /\u0640/g;

/**
 * Folds one cluster (rules 1 and 2): a character with at most 30 marks. The number is bounded because the cost of
 * normalising grows with its square. Invisible characters have been removed before.
 */
export function foldCluster(cluster: string): Folded {
  const base = String.fromCodePoint(cluster.codePointAt(0) ?? 0);
  if (isEmoji(base)) return { chars: [base], kinds: ['cjk'], isApart: false };
  const chars = Array.from(foldText(cluster), foldCharacter).join('');
  return {
    chars: Array.from(chars),
    kinds: Array.from(chars, (char) => (isMark(char) ? 'mark' : kindOf(char))),
    isApart: isCompatibilitySymbol(base),
  };
}

function foldText(cluster: string): string {
  let folded = cluster.normalize('NFKC').toLowerCase().replace(TATWEEL, '');
  if (ACCENTED.test(folded)) folded = folded.normalize('NFD').replace(ACCENTS, '$1').normalize('NFC');
  if (HAS_POINTS.test(folded)) folded = folded.replace(POINTS, '$1');
  return folded;
}

function foldCharacter(char: string): string {
  const known = char === 'ς' ? 'σ' : (LATIN_LETTERS.get(char) ?? RADICALS.get(char) ?? char);
  const code = known.codePointAt(0) ?? 0;
  return code < 0x3400 ? known : String.fromCodePoint(simplified(code));
}
