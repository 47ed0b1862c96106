import type { Database } from 'better-sqlite3';

const VERSION = 2;

/**
 * A document's number is its place times this, plus the number of documents that the place held before. So the hits of a
 * text are sorted by place, the hits of one place are a range in the text index, and the number alone tells in which place
 * a hit is and so, mostly, whether a user may see it.
 */
export const PLACE_SIZE = 2 ** 26;

/** The largest number of a place. With a larger one, document numbers would no longer be exact in JavaScript. */
export const MAX_PLACE = 2 ** 27 - 1;

// A place holds the documents that the same keys may see (`shared`), such as a group's or those of two users. Its other columns
// also apply to all of its documents. `own` tells who else may see single documents: nobody (0), the sender (1), or the keys
// listed in `audience` (1 and 2).
// A source is returned with a hit. Sources are stored in the order of writing, so a batch fills few pages.
// The text table has the content, the other fields with the field's id before each token, and the 4-grams of long numbers
// of both.
const SCHEMA = `
create table meta (version integer not null, documents integer not null);
create table place (
  id integer primary key,
  digest blob not null unique,
  channel blob not null,
  channel_id blob not null,
  channel_type integer not null,
  expiring integer not null,
  own integer not null,
  shared text not null,
  count integer not null,
  tokens integer not null
);
create index place_channel on place (channel);
create table member (key blob not null, place integer not null, primary key (key, place)) without rowid;
create table audience (key blob not null, n integer not null, position integer not null, primary key (key, n)) without rowid;
create table document (
  n integer primary key,
  sender blob not null,
  topic blob not null,
  payload_type integer,
  ts integer not null,
  expires integer not null,
  ord integer not null,
  tokens integer not null,
  source integer not null
);
create index document_newest on document (ts, ord);
create table source (number integer primary key, id text not null unique, locator text not null, text text not null);
create table field (id integer primary key, name text not null unique);
create virtual table text using fts5(
  content, ext, grams, ext_grams, content='', columnsize=0, tokenize="ascii tokenchars '_'"
);
insert into meta values (${VERSION}, 0);
`;

/** The file was written by a program with other tables. */
export class OutdatedIndexError extends Error {
  override readonly name = 'OutdatedIndexError';

  constructor(version: number) {
    super(`the search index has version ${version}, this program reads ${VERSION}: it has to be rebuilt from Redis`);
  }
}

/** Creates the tables if the file is empty. @returns whether it was empty @throws OutdatedIndexError */
export function createSchema(database: Database): boolean {
  const known = database.prepare("select 1 from sqlite_master where name = 'meta'").get();
  if (known === undefined) database.exec(`begin immediate; ${SCHEMA} commit;`);
  else checkVersion(database);
  return known === undefined;
}

/** @throws OutdatedIndexError */
export function checkVersion(database: Database): void {
  const version = Number(database.prepare('select version from meta').pluck().get());
  if (version !== VERSION) throw new OutdatedIndexError(version);
}

/** Access keys are stored as bytes; '' (no key) as no bytes. */
export const keyBytes = (key: string): Buffer => Buffer.from(key, 'hex');

export const placeOf = (n: number): number => Math.floor(n / PLACE_SIZE);
