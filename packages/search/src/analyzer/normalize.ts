/** A text as both engines see it: characters folded in case, width and accents, each with its place in the original. */
export interface NormalText {
  /** code points */
  chars: string[];
  /** UTF-16 offsets in the original: where the character begins, and where it ends */
  starts: number[];
  ends: number[];
}

// What belongs together before it is folded: conjoining Hangul, a character with its marks, half-width kana with theirs.
const CLUSTER = /[\u1100-\u115f][\u1160-\u11a7][\u11a8-\u11ff]?|\P{M}[\p{M}\uff9e\uff9f]*|\p{M}+/gu;
const MARK = /\p{M}/u;
const ACCENTED = /[\p{Script=Latin}\p{Script=Greek}\p{Script=Cyrillic}]/u;
const NONSPACING = /\p{Mn}/gu;
const VARIATION = /\p{Variation_Selector}/gu;

/** Folds a text; offsets lead back to the original, so that hits can be marked in it. Lone surrogates separate. */
export function normalize(text: string): NormalText {
  const normal: NormalText = { chars: [], starts: [], ends: [] };
  for (let i = 0; i < text.length; ) {
    const code = text.charCodeAt(i);
    const next = i + 1 < text.length ? text.charCodeAt(i + 1) : 0;
    if (isPlain(code) && (next < 0x300 || isPlain(next))) {
      const lower = code >= 65 && code <= 90 ? code + 32 : code;
      push(normal, String.fromCharCode(lower), i, i + 1);
      i++;
      continue;
    }
    CLUSTER.lastIndex = i;
    const cluster = CLUSTER.exec(text)?.[0] ?? text.charAt(i);
    for (const char of fold(cluster)) push(normal, char, i, i + cluster.length);
    i += cluster.length;
  }
  return normal;
}

/** ASCII and the common Han characters fold to themselves, but for case. */
const isPlain = (code: number) => code < 0x80 || (code >= 0x4e00 && code <= 0x9fff);

function push(normal: NormalText, char: string, start: number, end: number): void {
  normal.chars.push(char);
  normal.starts.push(start);
  normal.ends.push(end);
}

function fold(cluster: string): string {
  let folded = cluster.normalize('NFKC').toLowerCase().replace(VARIATION, '');
  // Only where a mark is an accent: in Thai or Hindi it is a vowel, in Japanese another syllable.
  if (ACCENTED.test(folded)) folded = folded.normalize('NFD').replace(NONSPACING, '').normalize('NFC');
  folded = folded.replaceAll('ς', 'σ');
  return folded === '' && !MARK.test(cluster) ? ' ' : folded;
}
