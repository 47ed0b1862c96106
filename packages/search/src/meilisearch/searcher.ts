import type { Meilisearch, SearchParams } from 'meilisearch';
import { LAST_RESULT, type SearchHit, type SearchQuery, type SearchResult } from '../searchQuery.ts';
import { attributesOf, positionOf, TEXT } from './documents.ts';
import { type FieldQuery, fieldQueries } from './fieldQueries.ts';
import { filterOf, matchesNothing } from './filter.ts';
import { verify } from './verify.ts';

type Hit = Record<string, unknown>;

interface Page {
  totalHits: number;
  hits: Hit[];
}

/** One of the queries whose union is searched. */
interface Part {
  q: string;
  field: string;
  weight: number;
}

const SHOWN = ['id', 'locator', 'positions'];
const NEWEST_FIRST = { sort: ['timestamp:desc', 'order:desc'] };
const NOTHING = { total: 0, hits: [] };
/** Meilisearch multiplies relevance (0 to 1) by this weight, so whole words always rank before beginnings of words. */
const WHOLE_FIRST = 1e6;

/** Searches one index. */
export function searcher(client: Meilisearch, indexUid: string): (query: SearchQuery) => Promise<SearchResult> {
  return async (query) => {
    const fields = fieldQueries(query.text);
    const asksNothing = fields.length === 0 && Object.keys(query.text).length > 0;
    if (query.audience.length === 0 || matchesNothing(query.anyOf) || asksNothing) return NOTHING;
    const filter: SearchParams = { filter: filterOf(query), matchingStrategy: 'all' };
    const { total, hits } = fields.some(({ isLoose }) => isLoose)
      ? await searchLoose(fields, filter, query)
      : await searchExact(fields, filter, query);
    return { total, hits: hits.map((hit) => toHit(hit, query.locate)) };
  };

  /** The engine's answer is exact. */
  async function searchExact(fields: FieldQuery[], filter: SearchParams, { offset, limit }: SearchQuery) {
    const common = { ...filter, attributesToRetrieve: SHOWN };
    const end = Math.min(offset + limit, LAST_RESULT);
    // Meilisearch only has whole pages. If the offset lies within one, everything from the beginning is read.
    const isWhole = limit > 0 && offset % limit === 0 && offset < end;
    const [page, size] = isWhole ? [offset / limit + 1, limit] : [1, offset < end ? end : 1];
    const read = (parts: Part[], order: SearchParams) =>
      find(parts, { ...common, ...order }, { page, hitsPerPage: size });
    const ranked = fields.length > 0 ? await read(ranking(fields), {}) : undefined;
    const isRanked = ranked !== undefined && ranked.totalHits <= LAST_RESULT;
    const { hits, totalHits } = isRanked ? ranked : await read(fields.map(loosest), NEWEST_FIRST);
    return { total: totalHits, hits: isWhole ? hits.slice(0, end - offset) : hits.slice(offset, end) };
  }

  /** The engine only gives candidates, and each is verified. Those beyond the last result that can be shown just count. */
  async function searchLoose(fields: FieldQuery[], filter: SearchParams, { offset, limit }: SearchQuery) {
    const parts = fields.map(loosest);
    const { totalHits } = await find(parts, filter, { page: 1, hitsPerPage: 0 });
    const order = totalHits > LAST_RESULT ? NEWEST_FIRST : {};
    const common = { ...filter, ...order, attributesToRetrieve: [...SHOWN, TEXT] };
    const read = async (from: number, most: number) => (await find(parts, common, { offset: from, limit: most })).hits;
    const { hits, seen } = await verify(read, fields, LAST_RESULT);
    const total = hits.length + Math.max(0, totalHits - seen);
    const isRanked = total <= LAST_RESULT;
    const ordered = isRanked
      ? hits.toSorted((a, b) => Number(b.match === 'whole') - Number(a.match === 'whole'))
      : hits;
    return { total, hits: ordered.map(({ hit }) => hit).slice(offset, Math.min(offset + limit, LAST_RESULT)) };
  }

  /** A range of the union of the parts, each document once; without parts, a range of all documents. */
  async function find(parts: Part[], common: SearchParams, range: Record<string, number>): Promise<Page> {
    if (parts.length <= 1) {
      const { q, field } = parts[0] ?? { q: '', field: undefined };
      const asked = field === undefined ? { q } : { q, attributesToSearchOn: searchedOn(field) };
      const { hits, totalHits = 0 }: Partial<Page> = await client
        .index(indexUid)
        .search(null, { ...common, ...asked, ...range });
      return { hits: hits ?? [], totalHits };
    }
    const queries = parts.map(({ q, field, weight }) => ({
      indexUid,
      q,
      attributesToSearchOn: searchedOn(field),
      ...common,
      federationOptions: { weight },
    }));
    const answer = await client.multiSearch({ federation: range, queries });
    const { hits, totalHits = 0 }: Partial<Page> = answer;
    return { hits: hits ?? [], totalHits };
  }
}

const loosest = ({ q, field }: FieldQuery): Part => ({ q, field, weight: 1 });

/** Each field's query, preceded by the one in which the last word is whole: the order of rule 8. */
const ranking = (fields: FieldQuery[]): Part[] =>
  fields.flatMap((one) => {
    const { field, whole } = one;
    return whole === undefined ? [loosest(one)] : [{ q: whole, field, weight: WHOLE_FIRST }, loosest(one)];
  });

function searchedOn(field: string): string[] {
  const { tokens, parts } = attributesOf(field);
  return [...tokens, ...parts];
}

function toHit({ id, locator, positions }: Hit, locate: string[]): SearchHit {
  return {
    id: String(id),
    locator: String(locator),
    positions: locate.map((key) => positionOf(String(positions), key)),
  };
}
