import { mkdirSync, rmSync } from 'node:fs';
import { dirname } from 'node:path';
import Sqlite, { type Database, type Statement } from 'better-sqlite3';

/** Recipients of broadcasts by position, gathered in a file that lives as long as the rebuild. */
export class RecipientTable {
  readonly #file: string;
  readonly #database: Database;
  readonly #insert: Statement;

  constructor(file: string) {
    this.#file = file;
    mkdirSync(dirname(file), { recursive: true });
    rmSync(file, { force: true });
    this.#database = new Sqlite(file);
    // Nobody needs the file after a crash: no journal, no fsync.
    this.#database.pragma('journal_mode = OFF');
    this.#database.pragma('synchronous = OFF');
    this.#database.exec(
      'create table recipient (ref text, at integer, uid text, primary key (ref, at)) without rowid; begin',
    );
    this.#insert = this.#database.prepare('insert or ignore into recipient values (?, ?, ?)');
  }

  add(ref: string, at: number, uid: string): void {
    this.#insert.run(ref, at, uid);
  }

  refs(): string[] {
    return this.#database.prepare<[], string>('select distinct ref from recipient').pluck().all();
  }

  /** uid by position, of one broadcast */
  recipients(ref: string): Map<number, string> {
    const rows = this.#database.prepare<[string], { at: number; uid: string }>(
      'select at, uid from recipient where ref = ?',
    );
    return new Map(rows.all(ref).map(({ at, uid }) => [at, uid]));
  }

  close(): void {
    this.#database.close();
    rmSync(this.#file, { force: true });
  }
}
