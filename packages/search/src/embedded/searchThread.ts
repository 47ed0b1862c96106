// A thread that searches: SQLite's calls block, and must not block whoever asks.
import { existsSync, statSync, writeFileSync } from 'node:fs';
import { parentPort, workerData } from 'node:worker_threads';
import Sqlite, { type Database } from 'better-sqlite3';
import type { SearchQuery, SearchResult } from '../port.ts';
import { isDamaged, suspicionOf } from './damage.ts';
import { IndexFiles } from './files.ts';
import { search } from './query.ts';

export interface SearchRequest {
  number: number;
  query: SearchQuery;
}
export type SearchReply = { number: number; result: SearchResult } | { number: number; error: string };

const files = new IndexFiles(String(workerData));
let open: { database: Database; file: string; inode: number } | undefined;

/** The index as it is now; undefined while there is none. A file that was replaced is opened again. */
function current(): Database | undefined {
  const file = files.current();
  const inode = existsSync(file) ? statSync(file).ino : 0;
  if (open && open.file === file && open.inode === inode) return open.database;
  open?.database.close();
  open = undefined;
  if (inode === 0) return undefined;
  const database = new Sqlite(file, { readonly: true, fileMustExist: true, timeout: 2000 });
  // The writer makes the tables right after the file.
  if (database.prepare("select 1 from sqlite_master where name = 'text'").get() === undefined) {
    database.close();
    return undefined;
  }
  database.pragma('cache_size = -32768');
  open = { database, file, inode };
  return database;
}

parentPort?.on('message', ({ number, query }: SearchRequest) => {
  let reply: SearchReply;
  try {
    const database = current();
    reply = { number, result: database ? search(database, query) : { total: 0, hits: [] } };
  } catch (error) {
    if (isDamaged(error)) writeFileSync(suspicionOf(files.current()), '');
    open?.database.close();
    open = undefined;
    reply = { number, error: error instanceof Error ? error.message : String(error) };
  }
  parentPort?.postMessage(reply);
});
