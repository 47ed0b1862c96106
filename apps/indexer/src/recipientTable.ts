import { mkdirSync, rmSync } from 'node:fs';
import { dirname } from 'node:path';
import Sqlite, { type Database, type Statement } from 'better-sqlite3';

/**
 * What a rebuild must remember, in a file: recipients of broadcasts by position, and how far the rebuild is. The file
 * survives the process, so the next one continues from the last `commit`.
 */
export class RecipientTable {
  readonly #file: string;
  readonly #database: Database;
  readonly #insert: Statement;
  #uncommitted = 0;

  /** @param id of the rebuild; a file that another rebuild left is removed */
  constructor(file: string, id: string) {
    this.#file = file;
    mkdirSync(dirname(file), { recursive: true });
    this.#database = open(file, id);
    this.#insert = this.#database.prepare('insert or ignore into recipient values (?, ?, ?)');
    this.#database.exec('begin');
  }

  /** rows since the last commit */
  get uncommitted(): number {
    return this.#uncommitted;
  }

  add(ref: string, at: number, uid: string): void {
    this.#insert.run(ref, at, uid);
    this.#uncommitted++;
  }

  /** How far the rebuild was at the last commit; undefined if there was none. */
  state<T>(): T | undefined {
    const text = this.#database.prepare<[], string>('select value from state').pluck().get();
    return text === undefined ? undefined : JSON.parse(text);
  }

  commit(state: unknown): void {
    this.#database.prepare('delete from state').run();
    this.#database.prepare('insert into state values (?)').run(JSON.stringify(state));
    this.#database.exec('commit; begin');
    this.#uncommitted = 0;
  }

  count(): number {
    return this.#database.prepare<[], number>('select count(distinct ref) from recipient').pluck().get() ?? 0;
  }

  /** The ref that follows `ref` in ascending order; undefined after the last one. */
  refAfter(ref: string): string | undefined {
    return (
      this.#database.prepare<[string], string>('select min(ref) from recipient where ref > ?').pluck().get(ref) ??
      undefined
    );
  }

  /** uid by position, of one broadcast */
  recipients(ref: string): Map<number, string> {
    const rows = this.#database.prepare<[string], { at: number; uid: string }>(
      'select at, uid from recipient where ref = ?',
    );
    return new Map(rows.all(ref).map(({ at, uid }) => [at, uid]));
  }

  /** Keeps the file for the process that continues. */
  close(): void {
    this.#database.close();
  }

  remove(): void {
    this.close();
    removeFiles(this.#file);
  }
}

const removeFiles = (file: string) => {
  for (const suffix of ['', '-wal', '-shm']) rmSync(file + suffix, { force: true });
};

function open(file: string, id: string): Database {
  try {
    const database = connect(file);
    const known = database.prepare<[], string>('select id from rebuild').pluck().get();
    if (known === id) return database;
    database.close();
  } catch {
    // No such file, or it is not a rebuild: start over.
  }
  removeFiles(file);
  const database = connect(file);
  database.exec(`
    create table rebuild (id text);
    create table state (value text);
    create table recipient (ref text, at integer, uid text, primary key (ref, at)) without rowid;
  `);
  database.prepare('insert into rebuild values (?)').run(id);
  return database;
}

function connect(file: string): Database {
  const database = new Sqlite(file);
  // It must survive a killed process, but not a power cut.
  database.pragma('journal_mode = WAL');
  database.pragma('synchronous = OFF');
  return database;
}
