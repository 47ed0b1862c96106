import type { SearchDocument, SearchHit, SearchQuery, SearchResult } from '@ruyi/search';
import { asked, type Found, folded } from './textOracle.ts';

/**
 * What a search must find, by a scan of every document: a second implementation of the contract, deliberately without the
 * analyzer's runs and tokens. The order is exact if there is no text; with text it is not compared.
 * @param documents in the order in which they were indexed; of two with the same id the first counts
 */
export function expectedResult(documents: readonly SearchDocument[], query: SearchQuery): SearchResult {
  const audience = new Set(query.audience.filter((key) => key !== ''));
  const wanted = Object.entries(query.text).map(([field, value]): Wanted => [field, asked(value)]);
  const found = [...firstOfEachId(documents)]
    .filter((document) => document.audience.some((key) => audience.has(key)) && matches(document, query, wanted))
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

type Wanted = [field: string, find: (text: string) => Found];

function matches(document: SearchDocument, query: SearchQuery, wanted: Wanted[]): boolean {
  const { anyOf, payloadTypes, from, topic, channelType, startTime, endTime, now } = query;
  if (anyOf && !anyOf.some((clause) => clauseHolds(document, clause))) return false;
  if (payloadTypes.length > 0 && !payloadTypes.some((type) => type === document.payloadType)) return false;
  if (from !== undefined && document.from !== from) return false;
  if (topic !== undefined && document.topic !== topic) return false;
  if (channelType !== undefined && document.channelType !== channelType) return false;
  if (startTime !== 0 && document.timestamp < startTime) return false;
  if (endTime !== 0 && document.timestamp > endTime) return false;
  if (document.expiresAt !== 0 && document.expiresAt <= now) return false;
  return wanted.length === 0 || wanted.some(([field, find]) => find(foldedText(document, field)) !== undefined);
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

const foldedTexts = new WeakMap<SearchDocument, Map<string, string>>();

/** Each text is folded once, for all queries. */
function foldedText(document: SearchDocument, field: string): string {
  const known = foldedTexts.get(document) ?? new Map<string, string>();
  foldedTexts.set(document, known);
  const text = known.get(field) ?? folded((Object.hasOwn(document.text, field) && document.text[field]) || '');
  known.set(field, text);
  return text;
}
