import { existsSync, mkdirSync, renameSync, rmSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import Sqlite, { type Database } from 'better-sqlite3';
import type { RefusedDocument, SearchDocument } from '../searchDocument.ts';
import { SearchUnavailableError } from '../searchEngine.ts';
import { DocumentWriter } from './documentWriter.ts';
import { suspicionOf } from './indexFiles.ts';
import { isDamaged } from './isDamaged.ts';
import { createSchema } from './schema.ts';

/**
 * The one writer of the index file. A batch is one transaction, on disk (synchronous=FULL) when `index` returns: its
 * jobs leave the queue then, and nothing but a rebuild would bring the documents back.
 */
export class IndexWriter {
  readonly #file: string;
  readonly #onLost: (reason: string) => void;
  #database: Database | undefined;
  #documents: DocumentWriter | undefined;
  #inode = 0;
  #size = 0;
  /** whether the tables were made when the file was opened: an empty file is what a process leaves that is killed early */
  #isNew = false;

  /** @param onLost is told when the index had to be begun anew: it misses everything from before */
  constructor(file: string, onLost: (reason: string) => void) {
    this.#file = file;
    this.#onLost = onLost;
  }

  /** @returns whether the index is new @throws OutdatedIndexError */
  open(): boolean {
    this.#openFile();
    return this.#isNew;
  }

  /** Notices an index that was removed or damaged, and begins it anew, also while nothing is written. */
  check(): void {
    this.#guarded(() => {
      this.#current();
      if (!existsSync(suspicionOf(this.#file))) return;
      rmSync(suspicionOf(this.#file));
      const verdict = this.#quickCheck();
      if (verdict !== 'ok') this.#startAnew(`damaged: ${verdict}`);
      this.#current();
    });
  }

  index(documents: SearchDocument[]): RefusedDocument[] {
    return this.#guarded(() => {
      const database = this.#current();
      const nobodys = documents.filter(({ audience }) => audience.length === 0);
      const insert = () => this.#documents?.insert(documents.filter(({ audience }) => audience.length > 0));
      // Immediate: what it reads decides the numbers that it gives, so nobody may write in between.
      database.transaction(insert).immediate();
      return nobodys.map(({ id }) => ({ id, reason: 'the document has no audience' }));
    });
  }

  /** By a connection of its own: this one sees the pages that it remembers, not those in the file. */
  #quickCheck(): unknown {
    const database = new Sqlite(this.#file, { readonly: true });
    try {
      return database.pragma('quick_check(1)', { simple: true });
    } finally {
      database.close();
    }
  }

  #guarded<T>(use: () => T): T {
    try {
      return use();
    } catch (error) {
      // Those that the failed batch added were taken back with it.
      this.#documents?.forget();
      if (isDamaged(error)) this.#startAnew(`damaged: ${error.message}`);
      const text = error instanceof Error ? error.message : String(error);
      throw new SearchUnavailableError(`the search index cannot be written: ${text}`, { cause: error });
    }
  }

  close(): void {
    this.#database?.close();
    this.#database = undefined;
    this.#documents = undefined;
  }

  /** A deleted file would go on to be written without anyone who could read it, and one that was cut off damaged further. */
  #current(): Database {
    const { ino, size } = existsSync(this.#file) ? statSync(this.#file) : { ino: 0, size: 0 };
    if (this.#database && ino === this.#inode) {
      if (size < this.#size) this.#startAnew('damaged: the index file was cut off');
      else this.#size = size;
    }
    if (this.#database && ino === this.#inode) return this.#database;
    const lost = this.#database !== undefined;
    this.close();
    const database = this.#openFile();
    if (lost) this.#onLost('the index file was removed');
    return database;
  }

  #openFile(): Database {
    mkdirSync(dirname(this.#file), { recursive: true });
    try {
      return this.#prepare();
    } catch (error) {
      if (!isDamaged(error)) throw error;
      this.#startAnew(`damaged: ${error.message}`);
      return this.#prepare();
    }
  }

  #prepare(): Database {
    const database = new Sqlite(this.#file);
    try {
      this.#isNew = this.#prepareTables(database);
    } catch (error) {
      database.close();
      throw error;
    }
    this.#database = database;
    const { ino, size } = statSync(this.#file);
    [this.#inode, this.#size] = [ino, size];
    this.#documents = new DocumentWriter(database);
    return database;
  }

  #prepareTables(database: Database): boolean {
    database.pragma('journal_mode = WAL');
    database.pragma('synchronous = FULL');
    database.pragma('busy_timeout = 5000');
    database.pragma('cache_size = -65536');
    // 32 MB: batches touch many of the same pages, which are then copied from the journal once for all of them.
    database.pragma('wal_autocheckpoint = 8000');
    return createSchema(database);
  }

  #startAnew(reason: string): void {
    try {
      this.close();
    } catch {
      // A damaged file may refuse to close; it is moved out of the way in any case.
    }
    for (const suffix of ['', '-wal', '-shm']) {
      if (!existsSync(this.#file + suffix)) continue;
      if (suffix === '') renameSync(this.#file, `${this.#file}.damaged`);
      else rmSync(this.#file + suffix);
    }
    this.#onLost(reason);
  }
}
