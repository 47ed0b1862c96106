import { existsSync, statSync, writeFileSync } from 'node:fs';
import Sqlite, { type Database } from 'better-sqlite3';
import { SearchUnavailableError } from '../searchEngine.ts';
import type { SearchQuery, SearchResult } from '../searchQuery.ts';
import { IndexFiles, suspicionOf } from './indexFiles.ts';
import { isDamaged } from './isDamaged.ts';
import { search } from './search.ts';

/** Searches the index of a folder. Its calls block, so it runs in a separate process. */
export class IndexReader {
  readonly #files: IndexFiles;
  #open: { database: Database; file: string; inode: number } | undefined;

  constructor(directory: string) {
    this.#files = new IndexFiles(directory);
  }

  /**
   * Searches the index as it is now; without an index nothing is found. A damaged file is reported to its writer.
   * @throws SearchUnavailableError for every failure, because rows of a damaged file can raise any error
   */
  search(query: SearchQuery): SearchResult {
    try {
      const database = this.#current();
      return database ? search(database, query) : { total: 0, hits: [] };
    } catch (error) {
      if (isDamaged(error)) writeFileSync(suspicionOf(this.#files.current()), '');
      this.#open?.database.close();
      this.#open = undefined;
      const reason = error instanceof Error ? error.message : String(error);
      throw new SearchUnavailableError(reason, { cause: error });
    }
  }

  /** The current index; undefined if there is none. A file that was replaced is opened again. */
  #current(): Database | undefined {
    const file = this.#files.current();
    const inode = existsSync(file) ? statSync(file).ino : 0;
    if (this.#open && this.#open.file === file && this.#open.inode === inode) return this.#open.database;
    this.#open?.database.close();
    this.#open = undefined;
    if (inode === 0) return undefined;
    const database = new Sqlite(file, { readonly: true, fileMustExist: true, timeout: 2000 });
    // The writer creates the tables right after the file, so they may still be missing.
    if (database.prepare("select 1 from sqlite_master where name = 'text'").get() === undefined) {
      database.close();
      return undefined;
    }
    database.pragma('cache_size = -32768');
    this.#open = { database, file, inode };
    return database;
  }
}
