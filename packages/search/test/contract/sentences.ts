import type { Random } from '@ruyi/testkit';

/** So few characters that words occur by chance; some are beyond the BMP. */
export const HAN = [
  ...'的一是在不了有和人这中大为上个国我以要他时来用们生到作地于出就分对成会可主发年动同工也能下过子说产种面而方后多定行学法所民得经十三之进着等部度家电力里如水化高自二理起小物现实加量都两体制机当使点从业本去把性好应开它合还因由其些然前外天政四日那社义事平形相全表间样与关各重新线内数正心反你明看原又么利比或但质气第向道命此变条只没结解问意建月公无系军很情者最立代想已通并提直题党程展五果料象员革位入常文总次品式活设及管特件长求老头基资边流路级少图山统接知较将组见计别她手角期根论运农指几九区强放决西被干做必战先回则任取据处𠮷𠀀𡃁',
] as [string, ...string[]];
export const WORDS = [
  ...['hello', 'help', 'world', 'Meeting', 'project', 'pro', 'API', 'café', 'it', 's', 'ok', 'đường', 'Łódź', 'straße'],
  ...[
    'ISPARTA',
    'ısparta',
    'Привет',
    'Ёлка',
    'οδός',
    'مُحَمَّد',
    'محـمد',
    'שָׁלוֹם',
    'שלום',
    'नमस्ते',
    'ﬁne',
    'ＯＫ',
    'so\u00adft',
  ],
] as [string, ...string[]];
const NUMBERS = ['2024', '2', '15', '3', '13812345678', '5678', '10', '１２３４', '0080'] as [string, ...string[]];
const EAST = ['學習', '学习', '東京タワー', 'ｶﾞ', 'が', '안녕', 'สวัสดี', '⻓城', '長城', '⼈', '〇', '㊙', '々'] as [
  string,
  ...string[],
];
const MARKED = ['™', '²', '½', '№', '①', '㎏', '℃', 'Ⓐ', '😀', '👍🏽', '👨‍👩‍👧', '🇨🇳', '❤️', '©'] as [
  string,
  ...string[],
];
const SIGNS = [' ', ' ', '，', '。', '！', '\n', '-', '"', '.', '_', "'", '@', '\u200b', '\ufe0f'] as [
  string,
  ...string[],
];

export const characters = (random: Random, min: number, max: number) =>
  Array.from({ length: random.whole(min, max) }, () => random.pick(HAN)).join('');

/** Runs of Chinese, words, numbers, emoji and signs, both as people write them and as nobody does. */
export function sentence(random: Random): string {
  const parts = Array.from({ length: random.whole(1, 9) }, () => {
    const kind = random.next();
    if (kind < 0.35) return characters(random, 1, 14);
    if (kind < 0.45) return ` ${random.pick(WORDS)} `;
    const pieces = kind < 0.6 ? WORDS : kind < 0.7 ? NUMBERS : kind < 0.76 ? EAST : kind < 0.82 ? MARKED : SIGNS;
    return random.pick(pieces);
  });
  return parts.join('');
}

/** A part of a text, cut between any two characters, sometimes with one character changed or removed. */
export function part(random: Random, texts: readonly string[]): string {
  const text = [...(texts[random.whole(0, texts.length - 1)] ?? '')];
  const start = random.whole(0, Math.max(0, text.length - 1));
  const cut = text.slice(start, start + random.whole(1, 12));
  const chance = random.next();
  if (chance < 0.15)
    cut[random.whole(0, cut.length - 1)] = random.pick([...SIGNS, random.pick(HAN)] as [string, ...string[]]);
  else if (chance < 0.25) cut.splice(random.whole(0, cut.length - 1), 1);
  return cut.join('');
}

/** A substring of some message, so it mostly occurs; sometimes with a neighbouring character changed. */
export function substring(random: Random, texts: readonly string[]): string {
  const runs = [...(texts[random.whole(0, texts.length - 1)] ?? '').matchAll(/\p{Script=Han}{2,}/gu)];
  const run = [...(runs[random.whole(0, Math.max(0, runs.length - 1))]?.[0] ?? characters(random, 2, 12))];
  const length = random.whole(2, Math.min(12, run.length));
  const start = random.whole(0, run.length - length);
  const found = run.slice(start, start + length);
  if (random.next() < 0.2) found[random.whole(0, length - 1)] = random.pick(HAN);
  return found.join('');
}
