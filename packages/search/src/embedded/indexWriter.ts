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
 * The one writer of the index file. A batch is one transaction and is on disk (synchronous=FULL) when `index` returns: then
 * its jobs leave the queue, and nothing but a rebuild would bring the documents back.
 */
export class IndexWriter {
  readonly #file: string;
  readonly #onLost: (reason: string) => void;
  #database: Database | undefined;
  #documents: DocumentWriter | undefined;
  #inode = 0;
  #size = 0;
  /** whether opening the file created the tables; a process that is killed early leaves an empty file */
  #isNew = false;

  /** @param onLost called when a new index had to be begun, which misses everything from before */
  constructor(file: string, onLost: (reason: string) => void) {
    this.#file = file;
    this.#onLost = onLost;
  }

  /** @returns whether the index is new @throws OutdatedIndexError */
  open(): boolean {
    this.#openFile();
    return this.#isNew;
  }

  /** Notices a removed or damaged index and begins a new one, even if nothing is written. */
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
      const refused = documents.filter(({ audience }) => audience.length === 0);
      const insert = () => this.#documents?.insert(documents.filter(({ audience }) => audience.length > 0));
      // Immediate, because it reads before it assigns numbers, and nobody may write in between.
      database.transaction(insert).immediate();
      return refused.map(({ id }) => ({ id, reason: 'the document has no audience' }));
    });
  }

  /** Uses a new connection, because the open one sees its cached pages and not those in the file. */
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
      // Fields that the failed batch added were rolled back with it.
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

  /** Reopens a deleted file, which nobody could read any more, and replaces a truncated one, which writes would damage further. */
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
    // 32 MB: batches touch many of the same pages, which are then copied from the journal only once.
    database.pragma('wal_autocheckpoint = 8000');
    return createSchema(database);
  }

  #startAnew(reason: string): void {
    try {
      this.close();
    } catch {
      // A damaged file may refuse to close. It is moved away in any case.
    }
    for (const suffix of ['', '-wal', '-shm']) {
      if (!existsSync(this.#file + suffix)) continue;
      if (suffix === '') renameSync(this.#file, `${this.#file}.damaged`);
      else rmSync(this.#file + suffix);
    }
    this.#onLost(reason);
  }
}
