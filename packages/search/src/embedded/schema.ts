import type { Database } from 'better-sqlite3';

const VERSION = 1;

// Columns of the text table: the field that everybody searches, and all others with their field's id before each token.
const SCHEMA = `
create table meta (version integer not null);
create table document (
  n integer primary key,
  id text not null unique,
  sender blob not null,
  channel blob not null,
  channel_id blob not null,
  channel_type integer not null,
  topic blob not null,
  payload_type integer,
  ts integer not null,
  expires integer not null,
  ord integer not null,
  locator text not null
);
create index document_newest on document (ts, ord);
create table audience (key blob not null, n integer not null, position integer not null, primary key (key, n)) without rowid;
create table field (id integer primary key, name text not null unique);
create virtual table text using fts5(content, ext, content='', contentless_delete=1, tokenize="ascii tokenchars '_'");
insert into meta values (${VERSION});
`;

/** Creates the tables in an empty file. @returns whether it was empty @throws Error where the file was written by another version */
export function createSchema(database: Database): boolean {
  const known = database.prepare("select 1 from sqlite_master where name = 'meta'").get();
  if (known === undefined) database.exec(`begin; ${SCHEMA} commit;`);
  const version = database.prepare('select version from meta').pluck().get();
  if (version !== VERSION) throw new Error(`the search index has version ${version}, this program reads ${VERSION}`);
  return known === undefined;
}

/** Access keys are stored as bytes; '' (none) as no bytes. */
export const keyBytes = (key: string): Buffer => Buffer.from(key, 'hex');
