import type { Database } from 'better-sqlite3';
import { LAST_RESULT, type SearchHit, type SearchQuery, type SearchResult } from '../port.ts';
import { textRequest } from './expression.ts';
import { type IndexReader, readerOf } from './indexReader.ts';
import { newestHits, newestOwn, ranked } from './order.ts';
import { checkVersion, placeOf } from './schema.ts';
import { Scope } from './scope.ts';
import { type Plan, textHits } from './textHits.ts';

/**
 * Searches one open index file. An empty audience, or text without a letter or digit, finds nothing.
 * @param plan for tests: the way that is gone, instead of the one that seems to cost least
 * @throws OutdatedIndexError
 */
export function search(database: Database, query: SearchQuery, plan?: Plan): SearchResult {
  const reader = readerOf(database);
  return reader.atOneMoment(() => {
    checkVersion(database);
    const { total, numbers } = find(reader, query, plan);
    return { total, hits: numbers.flatMap((n) => hitOf(reader, n, query.locate)) };
  });
}

function find(reader: IndexReader, query: SearchQuery, plan?: Plan): { total: number; numbers: number[] } {
  const scope = new Scope(reader, query);
  const end = query.limit > 0 ? Math.min(query.offset + query.limit, LAST_RESULT) : 0;
  const page = (numbers: number[]) => numbers.slice(query.offset, end);
  const isPage = query.offset < end;
  if (Object.keys(query.text).length === 0) {
    const total = countOwn(scope);
    return { total, numbers: isPage ? page(newestOwn(reader, scope, total, end)) : [] };
  }
  const request = textRequest(reader, query.text);
  if (request === undefined || scope.keyCount === 0) return { total: 0, numbers: [] };
  const found = textHits(reader, scope, request, plan);
  const total = found.numbers.length;
  if (!isPage) return { total, numbers: [] };
  const numbers = total > LAST_RESULT ? newestHits(reader, found.numbers, end) : ranked(reader, found);
  return { total, numbers: page(numbers) };
}

function countOwn(scope: Scope): number {
  const { places, loose } = scope.own();
  return places.reduce((sum, place) => sum + scope.countIn(place), scope.visible(loose).length);
}

function hitOf(reader: IndexReader, n: number, locate: string[]): SearchHit[] {
  const source = reader.source(n);
  if (!source) return [];
  const shared = reader.place(placeOf(n))?.shared;
  const positions = locate.map((key) => shared?.get(key) ?? reader.listedAt(key, n) ?? -1);
  return [{ id: source.id, locator: source.locator, positions }];
}
