import { isCompatibilitySymbol, isEmoji, isMark, type Kind, kindOf } from './characters.ts';
import { LATIN_LETTERS } from './latinLetters.ts';
import { RADICALS } from './radicals.ts';
import { simplified } from './simplified.ts';

/** What one character of a text, with the marks on it, is to a search. */
export interface Folded {
  /** code points; none if nothing is left of it */
  chars: string[];
  /** of each of them; `mark` goes with the character before it */
  kinds: (Kind | 'mark' | undefined)[];
  /** a compatibility symbol: a border on both of its sides (rule 2) */
  isApart: boolean;
}

/** Scripts whose marks are accents or points that many leave out. In Thai or Hindi a mark is a vowel, in kana a sound. */
const ACCENTED = /[\p{Script=Latin}\p{Script=Greek}\p{Script=Cyrillic}]/u;
const ACCENTS = /([\p{Script=Latin}\p{Script=Greek}\p{Script=Cyrillic}])\p{M}+/gu;
/** Here NFD would also part letters that differ (آ from ا), so only the marks that NFC leaves over go. */
const POINTS = /([\p{Script=Arabic}\p{Script=Hebrew}\p{N}])\p{M}+/gu;
const HAS_POINTS = /[\p{Script=Arabic}\p{Script=Hebrew}\p{N}]\p{M}/u;
/** NFKC makes a space or a tatweel of the marks that stand alone in the presentation forms. */
const TATWEEL = /\u0640/g;

/**
 * Folds one cluster (rules 1 and 2): a character with at most 30 marks, so that normalising, whose cost grows with the
 * square of the marks, has a bound. Invisible characters are gone already.
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
