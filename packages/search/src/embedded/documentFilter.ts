import type { Statement } from 'better-sqlite3';
import type { SearchQuery } from '../searchQuery.ts';
import type { Numbers } from './numbers.ts';
import { keyBytes } from './schema.ts';
import { rangeOf, type StoredIndex, type Value } from './storedIndex.ts';

interface SenderRow {
  n: number;
  sender: Buffer;
}

/** A query's conditions on the columns of a document: sender, topic, type and time, and that it has not expired. */
export class DocumentFilter {
  /** whether there are conditions other than expiry, which matters only in places whose documents expire */
  readonly isNeeded: boolean;
  readonly #sql: string;
  readonly #values: Value[];
  readonly #index: StoredIndex;
  #count: Statement<Value[], number> | undefined;
  #newest: Statement<Value[], number> | undefined;

  constructor(index: StoredIndex, query: SearchQuery) {
    const { payloadTypes, from, topic, startTime, endTime, now } = query;
    const conditions: [sql: string, value: Value][] = [];
    const types = 'payload_type in (select value from json_each(?))';
    if (payloadTypes.length > 0) conditions.push([types, JSON.stringify(payloadTypes)]);
    if (from !== undefined) conditions.push(['sender = ?', keyBytes(from)]);
    if (topic !== undefined) conditions.push(['topic = ?', keyBytes(topic)]);
    if (startTime > 0) conditions.push(['ts >= ?', startTime]);
    if (endTime > 0) conditions.push(['ts <= ?', endTime]);
    this.isNeeded = conditions.length > 0;
    conditions.push(['(expires = 0 or expires > ?)', now]);
    this.#sql = conditions.map(([sql]) => sql).join(' and ');
    this.#values = conditions.map(([, value]) => value);
    this.#index = index;
  }

  countIn(place: number): number {
    const sql = `select count(*) from document where n between ? and ? and ${this.#sql}`;
    this.#count ??= this.#index.prepare<number>(sql).pluck();
    return this.#count.get(...rangeOf(place), ...this.#values) ?? 0;
  }

  newestIn(place: number, count: number): number[] {
    const order = 'order by ts desc, ord desc, n desc limit ?';
    const sql = `select n from document where n between ? and ? and ${this.#sql} ${order}`;
    this.#newest ??= this.#index.prepare<number>(sql).pluck();
    return this.#newest.all(...rangeOf(place), ...this.#values, count);
  }

  allIn(place: number): Numbers {
    const sql = `select n from document where n between ? and ? and ${this.#sql} order by n`;
    return Float64Array.from(
      this.#index
        .prepare<number>(sql)
        .pluck()
        .all(...rangeOf(place), ...this.#values),
    );
  }

  /** The documents among these that pass, by number. */
  among(numbers: readonly number[]): SenderRow[] {
    const sql = `select n, sender from document where n in (select value from json_each(?)) and ${this.#sql} order by n`;
    return this.#index.prepare<SenderRow>(sql).all(JSON.stringify(numbers), ...this.#values);
  }
}
