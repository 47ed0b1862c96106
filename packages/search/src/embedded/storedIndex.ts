import type { Database, Statement } from 'better-sqlite3';
import { keyBytes, PLACE_SIZE } from './schema.ts';

/** A place as the writer made it. Only its extent changes later. */
export interface Place {
  channel: string;
  channelId: string;
  channelType: number;
  /** whether its documents expire */
  expiring: boolean;
  /** ALSO_SEEN_BY of documentWriter: who may see single documents of it */
  alsoSeenBy: number;
  /** whether it belongs to two users, or to one and itself: one of them sent each of its documents */
  isPair: boolean;
  /** the keys that see all of it, with their index in each document's audience */
  shared: Map<string, number>;
}

/** How much a place holds. */
export interface Extent {
  count: number;
  /** tokens in the texts of all its documents */
  tokens: number;
}

/** The columns by which documents are ordered. */
export interface OrderRow {
  n: number;
  ts: number;
  ord: number;
  tokens: number;
}

export interface SourceRow {
  id: string;
  locator: string;
  text: string;
}

interface PlaceRow {
  channel: Buffer;
  channel_id: Buffer;
  type: number;
  expiring: number;
  own: number;
  shared: string;
}

export type Value = string | number | Buffer;

const MOST_PLACES = 50_000;

/** The index as a search reads it. Statements are prepared once per file, and places are remembered once read. */
export class StoredIndex {
  readonly #database: Database;
  readonly #statements: ReturnType<typeof statementsOf>;
  readonly #places = new Map<number, Place>();

  constructor(database: Database) {
    this.#database = database;
    this.#statements = statementsOf(database);
  }

  /** Everything that `read` reads is of one moment. */
  atOneMoment<T>(read: () => T): T {
    return this.#database.transaction(read)();
  }

  place(id: number): Place | undefined {
    const known = this.#places.get(id);
    if (known) return known;
    const row = this.#statements.place.get(id);
    if (!row) return undefined;
    if (this.#places.size >= MOST_PLACES) this.#places.clear();
    const place = placeFrom(row);
    this.#places.set(id, place);
    return place;
  }

  extent(place: number): Extent {
    return this.#statements.extent.get(place) ?? { count: 0, tokens: 0 };
  }

  /** The number of documents in the index. */
  count(): number {
    return this.#statements.count.get() ?? 0;
  }

  /** Places in which this key sees every document. */
  placesOf(key: string): number[] {
    return this.#statements.placesOf.all(keyBytes(key));
  }

  placesOfChannel(channel: string): number[] {
    return this.#statements.placesOfChannel.all(keyBytes(channel));
  }

  /** Documents that list this key. */
  listing(key: string): number[] {
    return this.#statements.listing.all(keyBytes(key));
  }

  /** The key's index in the audience of a document that lists it. */
  listedAt(key: string, n: number): number | undefined {
    return this.#statements.listedAt.get(keyBytes(key), n);
  }

  isListed(key: string): boolean {
    return this.#statements.isListed.get(keyBytes(key)) !== undefined;
  }

  order(numbers: readonly number[]): OrderRow[] {
    return this.#statements.order.all(JSON.stringify(numbers));
  }

  /** The newest documents of the whole index, without the first `offset`. */
  newest(limit: number, offset: number): number[] {
    return this.#statements.newest.all(limit, offset);
  }

  /** All documents of a place, by number. */
  allIn(place: number): number[] {
    return this.#statements.allIn.all(...rangeOf(place));
  }

  source(n: number): SourceRow | undefined {
    return this.#statements.source.get(n);
  }

  fieldId(name: string): number | undefined {
    return this.#statements.fieldId.get(name);
  }

  /** The first documents after number `after` that an FTS5 expression finds, ordered by number. */
  matchesAfter(expression: string, after: number, limit: number): number[] {
    return this.#statements.matchesAfter.all(expression, after, limit);
  }

  /** The documents in a range of numbers that an FTS5 expression finds, both ends included. */
  matchesWithin(expression: string, first: number, last: number): number[] {
    return this.#statements.matchesWithin.all(expression, first, last);
  }

  /** Prepares a statement whose text depends on the query. */
  prepare<T>(sql: string): Statement<Value[], T> {
    return this.#database.prepare<Value[], T>(sql);
  }
}

function placeFrom(row: PlaceRow): Place {
  const channel = row.channel.toString('hex');
  const shared = new Map<string, number>(JSON.parse(row.shared));
  return {
    channel,
    channelId: row.channel_id.toString('hex'),
    channelType: row.type,
    expiring: row.expiring !== 0,
    alsoSeenBy: row.own,
    isPair: shared.size > 0 && !shared.has(channel),
    shared,
  };
}

function statementsOf(database: Database) {
  // Numbers above 2^31 are bound as floating-point, which the text index does not accept as rowids.
  const within = 'rowid between cast(? as integer) and cast(? as integer)';
  const numbers = <P extends Value[]>(sql: string) => database.prepare<P, number>(sql).pluck();
  return {
    place: database.prepare<[number], PlaceRow>(
      'select channel, channel_id, channel_type as type, expiring, own, shared from place where id = ?',
    ),
    extent: database.prepare<[number], Extent>('select count, tokens from place where id = ?'),
    count: numbers<[]>('select documents from meta'),
    placesOf: numbers<[Buffer]>('select place from member where key = ?'),
    placesOfChannel: numbers<[Buffer]>('select id from place where channel = ?'),
    listing: numbers<[Buffer]>('select n from audience where key = ?'),
    listedAt: numbers<[Buffer, number]>('select position from audience where key = ? and n = ?'),
    isListed: numbers<[Buffer]>('select 1 from audience where key = ? limit 1'),
    order: database.prepare<[string], OrderRow>(
      'select n, ts, ord, tokens from document where n in (select value from json_each(?))',
    ),
    newest: numbers<[number, number]>('select n from document order by ts desc, ord desc, n desc limit ? offset ?'),
    allIn: numbers<[number, number]>('select n from document where n between ? and ? order by n'),
    source: database.prepare<[number], SourceRow>(
      'select id, locator, text from source where number = (select source from document where n = ?)',
    ),
    fieldId: numbers<[string]>('select id from field where name = ?'),
    matchesAfter: numbers<[string, number, number]>(
      'select rowid from text where text match ? and rowid > cast(? as integer) order by rowid limit ?',
    ),
    matchesWithin: numbers<[string, number, number]>(
      `select rowid from text where text match ? and ${within} order by rowid`,
    ),
  };
}

/** The lowest and the highest number that a document of a place can have. */
export const rangeOf = (place: number): [number, number] => [place * PLACE_SIZE, (place + 1) * PLACE_SIZE - 1];

const opened = new WeakMap<Database, StoredIndex>();

/** The StoredIndex of an open file, always the same one. */
export function storedIndexOf(database: Database): StoredIndex {
  const known = opened.get(database);
  if (known) return known;
  const index = new StoredIndex(database);
  opened.set(database, index);
  return index;
}
