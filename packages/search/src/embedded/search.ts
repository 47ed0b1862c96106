import type { Database } from 'better-sqlite3';
import { LAST_RESULT, type SearchHit, type SearchQuery, type SearchResult } from '../searchQuery.ts';
import { newestHits, newestOwn, ranked } from './order.ts';
import { checkVersion, placeOf } from './schema.ts';
import { Scope } from './scope.ts';
import { type StoredIndex, storedIndexOf } from './storedIndex.ts';
import { type Plan, textHits } from './textHits.ts';
import { textRequest } from './textRequest.ts';

/**
 * Searches one open index file. An empty audience finds nothing, and neither does a text without a letter or digit.
 * @param plan for tests: the plan to use instead of the one that seems to cost least
 * @throws OutdatedIndexError
 */
export function search(database: Database, query: SearchQuery, plan?: Plan): SearchResult {
  checkVersion(database);
  const index = storedIndexOf(database);
  return index.atOneMoment(() => {
    const { total, numbers } = find(index, query, plan);
    return { total, hits: numbers.flatMap((n) => hitOf(index, n, query.locate)) };
  });
}

function find(index: StoredIndex, query: SearchQuery, plan?: Plan): { total: number; numbers: number[] } {
  const scope = new Scope(index, query);
  const end = query.limit > 0 ? Math.min(query.offset + query.limit, LAST_RESULT) : 0;
  const page = (numbers: number[]) => numbers.slice(query.offset, end);
  const isPage = query.offset < end;
  if (Object.keys(query.text).length === 0) {
    const total = countOwn(scope);
    return { total, numbers: isPage ? page(newestOwn(index, scope, total, end)) : [] };
  }
  const request = textRequest(index, query.text);
  if (request === undefined || scope.keyCount === 0) return { total: 0, numbers: [] };
  const found = textHits(index, scope, request, plan);
  const total = found.numbers.length;
  if (!isPage) return { total, numbers: [] };
  const numbers = total > LAST_RESULT ? newestHits(index, found.numbers, end) : ranked(index, found);
  return { total, numbers: page(numbers) };
}

function countOwn(scope: Scope): number {
  const { places, loose } = scope.ownDocuments();
  return places.reduce((sum, place) => sum + scope.countIn(place), scope.visible(loose).length);
}

function hitOf(index: StoredIndex, n: number, locate: string[]): SearchHit[] {
  const source = index.source(n);
  if (!source) return [];
  const shared = index.place(placeOf(n))?.shared;
  const positions = locate.map((key) => shared?.get(key) ?? index.listedAt(key, n) ?? -1);
  return [{ id: source.id, locator: source.locator, positions }];
}
