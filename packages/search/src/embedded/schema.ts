import type { Database } from 'better-sqlite3';

const VERSION = 2;

/**
 * A document's number says where it lies: its place times this, plus how many the place held before it. So the hits of a
 * text come sorted by place, those of one place are a range of the text index, and whether a user may see a hit is known
 * from its number alone.
 */
export const PLACE_SIZE = 2 ** 26;

/** The largest number of a place: beyond it a document's number would no longer be exact in a JavaScript number. */
export const MAX_PLACE = 2 ** 27 - 1;

// A place holds documents that the same keys may see (`shared`): a group, two users. Its other columns hold for all of its
// documents too. `own` says who else may see one: nobody (0), its sender (1), those that `audience` lists (1 and 2).
// Sources, which are given back with a hit, lie in the order in which they were written: a batch fills few pages.
// The text table has the content, the other fields with their field's id before each token, and of both the 4-grams of
// long numbers.
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

/** The file was written by a program whose tables were others. */
export class OutdatedIndexError extends Error {
  override readonly name = 'OutdatedIndexError';

  constructor(version: number) {
    super(`the search index has version ${version}, this program reads ${VERSION}: it has to be rebuilt from Redis`);
  }
}

/** Creates the tables in an empty file. @returns whether it was empty @throws OutdatedIndexError */
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

/** Access keys are stored as bytes; '' (none) as no bytes. */
export const keyBytes = (key: string): Buffer => Buffer.from(key, 'hex');

export const placeOf = (n: number): number => Math.floor(n / PLACE_SIZE);
