import type { SearchDocument, SearchHit, SearchQuery, SearchResult } from '@ruyi/search';

/**
 * What a search must find, by looking at every document: the contract written a second time, on purpose without the
 * analyzer's runs and tokens. Order is exact where there is no text; with text the engines rank as they like.
 * @param documents in the order in which they were indexed: of two with one id the first counts
 */
export function expectedResult(documents: readonly SearchDocument[], query: SearchQuery): SearchResult {
  const audience = new Set(query.audience.filter((key) => key !== ''));
  const found = [...firstOfEachId(documents)]
    .filter((document) => document.audience.some((key) => audience.has(key)) && matches(document, query))
    .sort((a, b) => b.timestamp - a.timestamp || b.order - a.order);
  const page = found.slice(query.offset, Math.min(query.offset + query.limit, 10_000));
  return { total: found.length, hits: page.map((document) => hitOf(document, query.locate)) };
}

function firstOfEachId(documents: readonly SearchDocument[]): Iterable<SearchDocument> {
  const byId = new Map<string, SearchDocument>();
  for (const document of documents) {
    if (document.audience.length > 0 && !byId.has(document.id)) byId.set(document.id, document);
  }
  return byId.values();
}

const hitOf = ({ id, locator, audience }: SearchDocument, locate: string[]): SearchHit => ({
  id,
  locator,
  positions: locate.map((key) => audience.indexOf(key)),
});

function matches(document: SearchDocument, query: SearchQuery): boolean {
  const { anyOf, payloadTypes, from, topic, channelType, startTime, endTime, now } = query;
  if (anyOf && !anyOf.some((clause) => clauseHolds(document, clause))) return false;
  if (payloadTypes.length > 0 && !payloadTypes.some((type) => type === document.payloadType)) return false;
  if (from !== undefined && document.from !== from) return false;
  if (topic !== undefined && document.topic !== topic) return false;
  if (channelType !== undefined && document.channelType !== channelType) return false;
  if (startTime !== 0 && document.timestamp < startTime) return false;
  if (endTime !== 0 && document.timestamp > endTime) return false;
  if (document.expiresAt !== 0 && document.expiresAt <= now) return false;
  return textHolds(document.text, query.text);
}

function clauseHolds(document: SearchDocument, clause: NonNullable<SearchQuery['anyOf']>[number]): boolean {
  const said = Object.entries(clause).filter(([, value]) => value !== undefined);
  return said.length > 0 && said.every(([part, value]) => partHolds(document, part, value));
}

function partHolds(document: SearchDocument, part: string, value: string | number): boolean {
  switch (part) {
    case 'audience':
      return document.audience.some((key) => key === value);
    case 'from':
      return document.from === value;
    case 'channel':
      return document.channel === value;
    case 'channelId':
      return document.channelId === value;
    default:
      return document.channelType === value;
  }
}

function textHolds(text: Record<string, string>, wanted: Record<string, string>): boolean {
  const fields = Object.entries(wanted);
  if (fields.length === 0) return true;
  return fields.some(([name, value]) => Object.hasOwn(text, name) && textContains(text[name] ?? '', value));
}

const SPACELESS =
  '\\p{Script=Han}\\p{Script=Hiragana}\\p{Script=Katakana}\\p{Script=Hangul}\\p{Script=Bopomofo}\\p{Script=Thai}\\p{Script=Lao}\\p{Script=Khmer}\\p{Script=Myanmar}\\u30fc';
const PIECE = new RegExp(
  `(?<cjk>(?:(?=[\\p{L}\\p{N}])[${SPACELESS}]\\p{M}*)+)|(?<word>(?:(?![${SPACELESS}])[\\p{L}\\p{N}]\\p{M}*)+)`,
  'gu',
);
/** What is beyond this many characters of a word does not count. */
const WORD_CUT = 48;

/** Whether every word and every run of characters of a query value is in the text. */
export const textContains = (text: string, query: string): boolean => scanner(text)(asked(query));

/** What a query asks for; `last` is the word that may be unfinished. */
export function asked(query: string): { pieces: Piece[]; last: Piece | undefined } {
  const pieces = piecesOf(folded(query));
  return { pieces, last: pieces.findLast(({ word }) => word !== undefined) };
}

/** For many queries of many texts: each text and each query is folded once. */
export function scanner(text: string): (query: ReturnType<typeof asked>) => boolean {
  const whole = folded(text);
  const words = piecesOf(whole).flatMap(({ word }) => (word === undefined ? [] : [cut(word)]));
  return ({ pieces, last }) => {
    const found = (piece: Piece) => {
      const { cjk, word } = piece;
      if (cjk !== undefined) return whole.includes(cjk);
      const start = cut(word ?? '');
      return words.some((one) => (piece === last ? one.startsWith(start) : one === start));
    };
    return pieces.length > 0 && pieces.every(found);
  };
}

type Piece = { cjk?: string | undefined; word?: string | undefined };

const piecesOf = (text: string): Piece[] => [...text.matchAll(PIECE)].map(({ groups }) => ({ ...groups }));
const cut = (word: string) => [...word].slice(0, WORD_CUT).join('');

/** Case, width and the accents of Latin, Greek and Cyrillic letters do not count. */
function folded(text: string): string {
  return text
    .normalize('NFKC')
    .toLowerCase()
    .replace(/\p{Variation_Selector}/gu, '')
    .normalize('NFD')
    .replace(/([\p{Script=Latin}\p{Script=Greek}\p{Script=Cyrillic}])\p{Mn}+/gu, '$1')
    .normalize('NFC')
    .replaceAll('ς', 'σ');
}
