/** Classes of characters, as the text rules of usersearch name them (docs/api.md §2). All take one code point. */

const MARK = /^[\p{M}\uff9e\uff9f]$/u;
const INVISIBLE = /^[\p{Default_Ignorable_Code_Point}\u0640]$/u;
const EMOJI = /^[\p{Extended_Pictographic}\p{Emoji_Modifier}\p{Regional_Indicator}]$/u;
const SYMBOL = /^[\p{So}\p{No}]$/u;
const CJK =
  /^[\p{scx=Han}\p{scx=Hiragana}\p{scx=Katakana}\p{scx=Hangul}\p{scx=Bopomofo}\p{scx=Thai}\p{scx=Lao}\p{scx=Khmer}\p{scx=Myanmar}]$/u;
const LETTER = /^\p{L}$/u;
const DIGIT = /^\p{N}$/u;

/** What a run is made of: `cjk` has no spaces between its words, so any substring can be searched. */
export type Kind = 'cjk' | 'letters' | 'digits';

/** Combining marks, and the half-width voicing marks, which NFKC makes such. */
export const isMark = (char: string): boolean => MARK.test(char);

/** As if it were not there (rule 1): default-ignorable characters, and the Arabic tatweel, which only stretches. */
export const isInvisible = (char: string): boolean => INVISIBLE.test(char);

/** The blocks of radicals, which are symbols to Unicode but characters of a text to who writes them (rule 1). */
const isRadical = (char: string): boolean => char >= '\u2e80' && char <= '\u2fdf';

/** ™ ² ½ № ① ㎏: reads as its expansion, and stands apart from what it touches (rule 2). */
export const isCompatibilitySymbol = (char: string): boolean =>
  SYMBOL.test(char) && char.normalize('NFKC') !== char && !isRadical(char);

/** Rule 3: counts as a cjk character. */
export const isEmoji = (char: string): boolean =>
  EMOJI.test(char) && char !== '©' && char !== '®' && !isCompatibilitySymbol(char);

/** The kind of a folded character that is no mark; undefined for what separates. */
export function kindOf(char: string): Kind | undefined {
  const code = char.codePointAt(0) ?? 0;
  if (code < 0x80) {
    if (code >= 48 && code <= 57) return 'digits';
    return code >= 97 && code <= 122 ? 'letters' : undefined;
  }
  if (code >= 0x4e00 && code <= 0x9fff) return 'cjk';
  // First, because one of them is a letter to Unicode as well: ℹ.
  if (isEmoji(char)) return 'cjk';
  const [letter, digit] = [LETTER.test(char), DIGIT.test(char)];
  if ((letter || digit) && CJK.test(char)) return 'cjk';
  if (letter) return 'letters';
  return digit ? 'digits' : undefined;
}
