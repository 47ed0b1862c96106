import type { Database } from 'better-sqlite3';
import { type Phrase, phrasesOf, type WantedRun } from '../analyzer/query.ts';
import { pairsOf } from '../analyzer/tokens.ts';
import { CONTENT_FIELD, LAST_RESULT, type ScopeClause, type SearchQuery, type SearchResult } from '../port.ts';
import { keyBytes } from './schema.ts';

type Value = string | number | Buffer;

/** A condition in SQL with its values, in their order. */
class Conditions {
  readonly sql: string[] = [];
  readonly values: Value[] = [];
  add(sql: string, ...values: Value[]): this {
    this.sql.push(sql);
    this.values.push(...values);
    return this;
  }
}

const IN_AUDIENCE = 'd.n in (select n from audience where key in (select unhex(value) from json_each(?)))';

/** Searches one open index file. An empty audience, or text without a letter or digit, finds nothing. */
export function search(database: Database, query: SearchQuery): SearchResult {
  const hasText = Object.keys(query.text).length > 0;
  const match = hasText ? matchExpression(database, query.text) : undefined;
  if (query.audience.length === 0 || (hasText && match === undefined)) return { total: 0, hits: [] };
  const where = conditionsOf(query);
  const from = match === undefined ? 'document d' : 'text join document d on d.n = text.rowid';
  if (match !== undefined) where.add('text match ?', match);
  // Unrounded scores never tie, and "newest first between equals" would never apply.
  const score = match === undefined ? '0' : 'round(bm25(text), 1)';
  const limit = Math.max(0, Math.min(query.limit, LAST_RESULT - query.offset));
  const rows = database
    .prepare<Value[], { total: number; n: number; id: string; locator: string }>(
      `with hit as materialized (select d.n, ${score} as score, d.ts, d.ord from ${from} where ${where.sql.join(' and ')}),
       page as (select n, score, ts, ord from hit order by score, ts desc, ord desc limit ? offset ?)
       select (select count(*) from hit) as total, d.n, d.id, d.locator
       from (select 1) left join page left join document d on d.n = page.n
       order by page.score, page.ts desc, page.ord desc`,
    )
    .all(...where.values, limit, query.offset);
  const position = database
    .prepare<[Buffer, number], number>('select position from audience where key = ? and n = ?')
    .pluck();
  const hits = rows
    .filter(({ n }) => n !== null)
    .map(({ n, id, locator }) => ({
      id,
      locator,
      positions: query.locate.map((key) => Number(position.get(keyBytes(key), n) ?? -1)),
    }));
  return { total: rows[0]?.total ?? 0, hits };
}

function conditionsOf(query: SearchQuery): Conditions {
  const where = new Conditions().add(IN_AUDIENCE, JSON.stringify(query.audience));
  if (query.anyOf) {
    const clauses = query.anyOf.map(clauseOf);
    where.add(
      `(${clauses.map(({ sql }) => `(${sql.join(' and ')})`).join(' or ') || '0'})`,
      ...clauses.flatMap(({ values }) => values),
    );
  }
  if (query.payloadTypes.length > 0) {
    where.add('d.payload_type in (select value from json_each(?))', JSON.stringify(query.payloadTypes));
  }
  if (query.from !== undefined) where.add('d.sender = ?', keyBytes(query.from));
  if (query.topic !== undefined) where.add('d.topic = ?', keyBytes(query.topic));
  if (query.channelType !== undefined) where.add('d.channel_type = ?', query.channelType);
  if (query.startTime > 0) where.add('d.ts >= ?', query.startTime);
  if (query.endTime > 0) where.add('d.ts <= ?', query.endTime);
  return where.add('(d.expires = 0 or d.expires > ?)', query.now);
}

function clauseOf(clause: ScopeClause): Conditions {
  const where = new Conditions();
  if (clause.from !== undefined) where.add('d.sender = ?', keyBytes(clause.from));
  if (clause.audience !== undefined) where.add(IN_AUDIENCE, JSON.stringify([clause.audience]));
  if (clause.channel !== undefined) where.add('d.channel = ?', keyBytes(clause.channel));
  if (clause.channelId !== undefined) where.add('d.channel_id = ?', keyBytes(clause.channelId));
  if (clause.channelType !== undefined) where.add('d.channel_type = ?', clause.channelType);
  // A clause that says nothing must not mean everything.
  return where.sql.length > 0 ? where : where.add('0');
}

/** The FTS5 expression: fields ORed, terms of one field ANDed; undefined where nothing can match. */
function matchExpression(database: Database, text: Record<string, string>): string | undefined {
  const fieldId = database.prepare<[string], number>('select id from field where name = ?').pluck();
  const fields = Object.entries(text).flatMap(([name, value]) => {
    const terms = phrasesOf(value);
    const id = name === CONTENT_FIELD ? undefined : fieldId.get(name);
    if (terms.length === 0 || (name !== CONTENT_FIELD && id === undefined)) return [];
    const prefix = id === undefined ? '' : `${id}_`;
    const column = id === undefined ? 'content' : 'ext';
    return [`(${column} : (${terms.map((phrase) => phraseExpression(phrase, prefix)).join(' AND ')}))`];
  });
  return fields.length === 0 ? undefined : fields.join(' OR ');
}

/** Tokens hold letters, digits and emoji only, so quoting them is safe. */
const phraseExpression = (phrase: Phrase, prefix: string): string =>
  `(${phrase.map((run) => runExpression(run, prefix)).join(' AND ')})`;

function runExpression(run: WantedRun, prefix: string): string {
  const text = run.chars.join('');
  if (run.kind !== 'cjk') return run.prefix ? `"${prefix}${text}" *` : `"${prefix}${text}"`;
  if (run.chars.length === 1) return `"${prefix}${text}" *`;
  return `"${pairsOf(run.chars)
    .map((token) => prefix + token)
    .join(' ')}"`;
}
