/** Classes of characters, named as in the text rules of usersearch (docs/api.md §2). All functions take one code point. */

const MARK = /^[\p{M}\uff9e\uff9f]$/u;
const INVISIBLE = /^[\p{Default_Ignorable_Code_Point}\u0640]$/u;
const EMOJI = /^[\p{Extended_Pictographic}\p{Emoji_Modifier}\p{Regional_Indicator}]$/u;
const SYMBOL = /^[\p{So}\p{No}]$/u;
const CJK =
  /^[\p{scx=Han}\p{scx=Hiragana}\p{scx=Katakana}\p{scx=Hangul}\p{scx=Bopomofo}\p{scx=Thai}\p{scx=Lao}\p{scx=Khmer}\p{scx=Myanmar}]$/u;
const LETTER = /^\p{L}$/u;
const DIGIT = /^\p{N}$/u;

/** The kinds of runs. `cjk` has no spaces between words, so any substring of it can be searched. */
export type Kind = 'cjk' | 'letters' | 'digits';

/** Combining marks, and the half-width voicing marks, which NFKC turns into combining marks. */
export const isMark = (char: string): boolean => MARK.test(char);

/** Characters that are ignored (rule 1): default-ignorable ones, and the Arabic tatweel, which only stretches a word. */
export const isInvisible = (char: string): boolean => INVISIBLE.test(char);

/** The blocks of radicals: symbols in Unicode, but people write them as characters of a text (rule 1). */
const isRadical = (char: string): boolean => char >= '\u2e80' && char <= '\u2fdf';

/** ™ ² ½ № ① ㎏: reads as its expansion and does not join its neighbours (rule 2). */
export const isCompatibilitySymbol = (char: string): boolean =>
  SYMBOL.test(char) && char.normalize('NFKC') !== char && !isRadical(char);

/** Emoji count as cjk characters (rule 3). */
export const isEmoji = (char: string): boolean =>
  EMOJI.test(char) && char !== '©' && char !== '®' && !isCompatibilitySymbol(char);

/** The kind of a folded character other than a mark; undefined for a separator. */
export function kindOf(char: string): Kind | undefined {
  const code = char.codePointAt(0) ?? 0;
  if (code < 0x80) {
    if (code >= 48 && code <= 57) return 'digits';
    return code >= 97 && code <= 122 ? 'letters' : undefined;
  }
  if (code >= 0x4e00 && code <= 0x9fff) return 'cjk';
  // Before letters, because one emoji is also a letter in Unicode: ℹ.
  if (isEmoji(char)) return 'cjk';
  const [letter, digit] = [LETTER.test(char), DIGIT.test(char)];
  if ((letter || digit) && CJK.test(char)) return 'cjk';
  if (letter) return 'letters';
  return digit ? 'digits' : undefined;
}
