/**
 * Latin letters that Unicode does not decompose into a letter and an accent, each followed by what people type who do not
 * have it on their keyboard. Small letters only, because case is folded first. `ſ` is missing because NFKC maps it.
 */
const PAIRS =
  'ß ss æ ae œ oe ø o đ d ð d þ th ł l ħ h ŧ t ı i ȷ j ŋ n ĸ k ' +
  'ƀ b ɓ b ƃ b ȼ c ƈ c ɗ d ɖ d ƌ d ɇ e ƒ f ǥ g ɠ g ɦ h ⱨ h ɨ i ɉ j ƙ k ⱪ k ƚ l ɫ l ⱡ l ɱ m ɲ n ƞ n ' +
  'ɵ o ƥ p ᵽ p ɋ q ɍ r ɽ r ʂ s ȿ s ƫ t ƭ t ʈ t ⱦ t ʉ u ʋ v ⱳ w ɏ y ƴ y ƶ z ȥ z ⱬ z ɀ z ⱥ a';

/** letter → what it folds to */
export const LATIN_LETTERS: ReadonlyMap<string, string> = new Map(
  [...PAIRS.matchAll(/(\S+) (\S+)/g)].map(([, letter = '', plain = '']) => [letter, plain]),
);
