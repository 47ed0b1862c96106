import { randomUUID } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const fileIn = (directory: string) => join(directory, 'id');

/** The id of the embedded index in a folder; undefined if there is none, or if it cannot be read. */
export function readIndexId(directory: string): string | undefined {
  try {
    return readFileSync(fileIn(directory), 'utf8');
  } catch {
    return undefined;
  }
}

/** The same for the indexer, which gives its index an id, and gives it again if somebody removed the folder. */
export function ensureIndexId(directory: string, id: string = randomUUID()): string {
  const present = readIndexId(directory);
  if (present !== undefined) return present;
  mkdirSync(directory, { recursive: true });
  writeFileSync(fileIn(directory), id, { flush: true });
  return id;
}
