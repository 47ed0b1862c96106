import type { Database, Statement } from 'better-sqlite3';
import { keyBytes, PLACE_SIZE } from './schema.ts';

/** A place as the writer made it: nothing of it changes but how much it holds. */
export interface Place {
  channel: string;
  channelId: string;
  channelType: number;
  /** whether its documents have an end */
  expiring: boolean;
  /** OWN of documentWriter: who may see single documents of it */
  own: number;
  /** of two users, or of one with itself: each document of it is sent by one of them */
  isPair: boolean;
  /** keys that see all of it, and their index in each document's audience */
  shared: Map<string, number>;
}

/** How much a place holds. */
export interface Extent {
  count: number;
  /** of the texts of all its documents */
  tokens: number;
}

/** By what documents are ordered. */
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

type Value = string | number | Buffer;

const MOST_PLACES = 50_000;
const MOST_STATEMENTS = 200;

/** The index as a search reads it: its statements, prepared once a file, and the places that searches have met. */
export class StoredIndex {
  readonly #database: Database;
  readonly #statements = new Map<string, Statement<Value[], unknown>>();
  readonly #places = new Map<number, Place>();

  constructor(database: Database) {
    this.#database = database;
  }

  /** All that is read within is of one moment. */
  atOneMoment<T>(read: () => T): T {
    return this.#database.transaction(read)();
  }

  place(id: number): Place | undefined {
    const known = this.#places.get(id);
    if (known) return known;
    const row = this.row<{
      channel: Buffer;
      channel_id: Buffer;
      type: number;
      expiring: number;
      own: number;
      shared: string;
    }>('select channel, channel_id, channel_type as type, expiring, own, shared from place where id = ?', id);
    if (!row) return undefined;
    const channel = row.channel.toString('hex');
    const shared = new Map<string, number>(JSON.parse(row.shared));
    const place: Place = {
      channel,
      isPair: shared.size > 0 && !shared.has(channel),
      channelId: row.channel_id.toString('hex'),
      channelType: row.type,
      expiring: row.expiring !== 0,
      own: row.own,
      shared,
    };
    if (this.#places.size >= MOST_PLACES) this.#places.clear();
    this.#places.set(id, place);
    return place;
  }

  extent(place: number): Extent {
    return this.row<Extent>('select count, tokens from place where id = ?', place) ?? { count: 0, tokens: 0 };
  }

  /** How many documents there are. */
  count(): number {
    return this.values('select documents from meta')[0] ?? 0;
  }

  /** Places all of which this key may see. */
  placesOf(key: string): number[] {
    return this.values('select place from member where key = ?', keyBytes(key));
  }

  placesOfChannel(channel: string): number[] {
    return this.values('select id from place where channel = ?', keyBytes(channel));
  }

  /** Documents that list this key by itself. */
  listing(key: string): number[] {
    return this.values('select n from audience where key = ?', keyBytes(key));
  }

  /** The key's index in the audience of a document that lists it. */
  listedAt(key: string, n: number): number | undefined {
    return this.values('select position from audience where key = ? and n = ?', keyBytes(key), n)[0];
  }

  isListed(key: string): boolean {
    return this.row('select 1 from audience where key = ? limit 1', keyBytes(key)) !== undefined;
  }

  order(numbers: readonly number[]): OrderRow[] {
    return this.rows(
      'select n, ts, ord, tokens from document where n in (select value from json_each(?))',
      JSON.stringify(numbers),
    );
  }

  source(n: number): SourceRow | undefined {
    return this.row('select id, locator, text from source where number = (select source from document where n = ?)', n);
  }

  fieldId(name: string): number | undefined {
    return this.values('select id from field where name = ?', name)[0];
  }

  values(sql: string, ...values: Value[]): number[] {
    return this.#statement<number>(`pluck ${sql}`, sql, true).all(...values);
  }

  rows<T>(sql: string, ...values: Value[]): T[] {
    return this.#statement<T>(sql, sql, false).all(...values);
  }

  row<T>(sql: string, ...values: Value[]): T | undefined {
    return this.#statement<T>(sql, sql, false).get(...values);
  }

  /** Row by row, of one column. */
  each(sql: string, ...values: Value[]): Iterable<number> {
    return this.#database
      .prepare<Value[], number>(sql)
      .pluck()
      .iterate(...values);
  }

  #statement<T>(name: string, sql: string, pluck: boolean): Statement<Value[], T> {
    const known = this.#statements.get(name);
    if (known) return known as Statement<Value[], T>;
    const statement = this.#database.prepare<Value[], T>(sql);
    if (pluck) statement.pluck();
    if (this.#statements.size >= MOST_STATEMENTS) this.#statements.clear();
    this.#statements.set(name, statement);
    return statement;
  }
}

/** The numbers that documents of a place can have: from, up to and with. */
export const rangeOf = (place: number): [number, number] => [place * PLACE_SIZE, (place + 1) * PLACE_SIZE - 1];

const opened = new WeakMap<Database, StoredIndex>();

/** One for each open file. */
export function storedIndexOf(database: Database): StoredIndex {
  const known = opened.get(database);
  if (known) return known;
  const index = new StoredIndex(database);
  opened.set(database, index);
  return index;
}
