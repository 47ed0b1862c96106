import { open, writeFile } from 'node:fs/promises';
import { SearchUnavailableError } from '../port.ts';
import { suspicionOf } from './damage.ts';
import type { IndexFiles } from './files.ts';

const MAGIC = Buffer.from('SQLite format 3\0');

/**
 * A look at the beginning of the index file, which never waits for a search. A missing or empty file is an index that
 * has not been begun yet. One that is no SQLite file is reported to the writer.
 * @throws SearchUnavailableError
 */
export async function checkIndexFile(files: IndexFiles): Promise<void> {
  const path = files.current();
  const beginning = await readBeginning(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return Buffer.alloc(0);
    throw new SearchUnavailableError(`the search index cannot be read: ${error.message}`, { cause: error });
  });
  if (beginning.length === 0 || beginning.equals(MAGIC)) return;
  await writeFile(suspicionOf(path), '');
  throw new SearchUnavailableError('the search index is damaged');
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
