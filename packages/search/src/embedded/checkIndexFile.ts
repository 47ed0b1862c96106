import { writeFileSync } from 'node:fs';
import { open, writeFile } from 'node:fs/promises';
import Sqlite, { type Database } from 'better-sqlite3';
import { SearchUnavailableError } from '../searchEngine.ts';
import { type IndexFiles, suspicionOf } from './indexFiles.ts';
import { isDamaged } from './isDamaged.ts';
import { checkVersion } from './schema.ts';

const MAGIC = Buffer.from('SQLite format 3\0');

/**
 * Looks at the beginning of the index file and never waits for a search. A missing or empty file is an index that has not
 * been begun yet. A file that is not SQLite's is reported to the writer.
 * @throws SearchUnavailableError
 */
export async function checkIndexFile(files: IndexFiles): Promise<void> {
  const path = files.current();
  const beginning = await readBeginning(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return Buffer.alloc(0);
    throw new SearchUnavailableError(`the search index cannot be read: ${error.message}`, { cause: error });
  });
  if (beginning.length === 0) return;
  if (beginning.equals(MAGIC)) return checkVersionOf(path);
  await writeFile(suspicionOf(path), '');
  throw new SearchUnavailableError('the search index is damaged');
}

/** @throws SearchUnavailableError if the index was written by a program of another version */
function checkVersionOf(path: string): void {
  let database: Database | undefined;
  try {
    database = new Sqlite(path, { readonly: true, fileMustExist: true, timeout: 500 });
    // The writer creates the tables right after the file, so they may still be missing.
    if (database.prepare("select 1 from sqlite_master where name = 'meta'").get() !== undefined) checkVersion(database);
  } catch (error) {
    if (isDamaged(error)) writeFileSync(suspicionOf(path), '');
    const reason = error instanceof Error ? error.message : String(error);
    throw new SearchUnavailableError(`the search index cannot be read: ${reason}`, { cause: error });
  } finally {
    database?.close();
  }
}

async function readBeginning(path: string): Promise<Buffer> {
  const file = await open(path);
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(MAGIC.length), 0, MAGIC.length, 0);
    return buffer.subarray(0, bytesRead);
  } finally {
    await file.close();
  }
}
