import { linkSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { StartError } from '@ruyi/process';
import { identify, isAlive, type ProcessIdentity } from './processIdentity.ts';

const NUMBERED = /^lock\.(\d+)$/;

/**
 * Locks the data folder until this process ends, in whatever way: a lock counts while the process that wrote it lives.
 * Locks are numbered, and only the highest one counts. So if two processes find a dead lock, exactly one of them
 * creates its successor. The highest one is never removed, because a slow reader could then create a number that was in
 * use.
 * @throws StartError naming the process that holds it
 */
export function lockDataDir(dataDir: string, runFolder: string): void {
  const ownIdentity = identify(process.pid);
  if (!ownIdentity) throw new StartError('cannot find out when this process was started (needs /proc or ps)');
  const draft = join(runFolder, `lock-draft.${process.pid}`);
  writeFileSync(draft, JSON.stringify(ownIdentity));
  try {
    for (;;) {
      const newest = newestLock(runFolder);
      const holder = newest > 0 ? readHolder(join(runFolder, `lock.${newest}`)) : undefined;
      if (holder && isAlive(holder)) {
        throw new StartError(`DATA_DIR=${dataDir}: in use by another start of Ruyi (process ${holder.pid})`);
      }
      const mine = newest + 1;
      if (!create(draft, join(runFolder, `lock.${mine}`))) continue;
      if (newestLock(runFolder) === mine) {
        removeLocksBelow(runFolder, mine);
        return;
      }
      rmSync(join(runFolder, `lock.${mine}`), { force: true });
    }
  } finally {
    rmSync(draft, { force: true });
  }
}

const numbers = (folder: string): number[] =>
  readdirSync(folder).flatMap((file) => {
    const number = NUMBERED.exec(file)?.[1];
    return number === undefined ? [] : [Number(number)];
  });

const newestLock = (folder: string): number => Math.max(0, ...numbers(folder));

function readHolder(file: string): ProcessIdentity | undefined {
  try {
    return JSON.parse(readFileSync(file, 'utf8'));
  } catch {
    return undefined;
  }
}

/** Links the draft, so the file appears with its whole content or not at all. @returns false if it exists already */
function create(draft: string, file: string): boolean {
  try {
    linkSync(draft, file);
    return true;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'EEXIST') return false;
    throw error;
  }
}

function removeLocksBelow(folder: string, number: number): void {
  for (const lower of numbers(folder)) {
    if (lower < number) rmSync(join(folder, `lock.${lower}`), { force: true });
  }
}
