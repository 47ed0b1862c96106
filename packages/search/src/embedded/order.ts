import { includes, type Numbers } from './numbers.ts';
import type { Scope } from './scope.ts';
import type { OrderRow, StoredIndex } from './storedIndex.ts';
import type { TextHits } from './textHits.ts';

const ROWS_AT_ONCE = 5000;
/** So many of the newest documents of the whole index are always looked at before the user's own are gathered. */
const FIRST_LOOK = 200;

const newestFirst = (a: OrderRow, b: OrderRow) => b.ts - a.ts || b.ord - a.ord || b.n - a.n;

/** Orders hits by whole words, then relevance, then time (docs/api.md §2, rule 8). @returns all of them */
export function ranked(index: StoredIndex, { numbers, whole }: TextHits): number[] {
  const rows = orderRows(index, numbers);
  const isWhole = (n: number) => whole === undefined || includes(whole, n);
  const keyed = rows.map((row) => ({ row, class: isWhole(row.n) ? 0 : 1, relevance: relevanceOf(row.tokens) }));
  keyed.sort((a, b) => a.class - b.class || b.relevance - a.relevance || newestFirst(a.row, b.row));
  return keyed.map(({ row }) => row.n);
}

/**
 * What BM25 gives a word that occurs once in a message of this length: the shorter the message, the better. Rounded,
 * because unrounded values hardly ever tie, and newest first among equals would never apply.
 */
function relevanceOf(tokens: number): number {
  const [k, b, usual] = [1.2, 0.75, 20];
  return Math.round((10 * (k + 1)) / (1 + k * (1 - b + (b * tokens) / usual)));
}

/** The newest hits, if there are too many to rank. @returns at most `count` */
export function newestHits(index: StoredIndex, hits: Numbers, count: number): number[] {
  const newest = walk(index, count, hits.length, (n) => includes(hits, n));
  return newest ?? first(orderRows(index, hits), count);
}

/** The newest of all documents that the user may see. @param total how many those are */
export function newestOwn(index: StoredIndex, scope: Scope, total: number, count: number): number[] {
  const wanted = Math.min(count, total);
  if (wanted === 0) return [];
  const newest = walk(index, wanted, total, (n) => scope.isVisible(n));
  if (newest) return newest;
  const { places, loose } = scope.ownDocuments();
  const rows: OrderRow[] = [];
  const parts = places.map((place) => scope.newestIn(place, wanted));
  for (const part of [...parts, scope.visible(loose)]) for (const row of orderRows(index, part)) rows.push(row);
  return first(rows, wanted);
}

/**
 * Walks through the whole index, newest first, until `count` documents are accepted.
 * @param total how many documents would be accepted in all
 * @returns undefined if the walk seems longer than to sort all `total` of them
 */
function walk(index: StoredIndex, count: number, total: number, accepts: (n: number) => boolean): number[] | undefined {
  const found: number[] = [];
  if (count === 0) return found;
  const most = Math.max(FIRST_LOOK, total);
  for (let [offset, limit] = [0, FIRST_LOOK]; offset < most; offset += limit, limit *= 4) {
    const newest = index.newest(Math.min(limit, most - offset), offset);
    for (const n of newest) if (accepts(n) && found.push(n) === count) return found;
    const seen = offset + newest.length;
    if (newest.length < limit) return seen < most ? found : undefined;
    // One more than was found, because no hit among the first documents does not mean that there are none.
    if ((seen * count) / (found.length + 1) > most) return undefined;
  }
  return undefined;
}

const first = (rows: OrderRow[], count: number) =>
  rows
    .sort(newestFirst)
    .slice(0, count)
    .map(({ n }) => n);

function orderRows(index: StoredIndex, numbers: Numbers | number[]): OrderRow[] {
  const rows: OrderRow[] = [];
  for (let i = 0; i < numbers.length; i += ROWS_AT_ONCE) {
    for (const row of index.order([...numbers.slice(i, i + ROWS_AT_ONCE)])) rows.push(row);
  }
  return rows;
}
