import { chmodSync, lstatSync, mkdirSync, readdirSync, rmSync, type Stats, statSync, writeFileSync } from 'node:fs';
import { constants } from 'node:os';
import { join } from 'node:path';
import { oneLine, StartError } from '@ruyi/process';

const OTHERS = 0o077;
/** What Ruyi keeps at the top of DATA_DIR. */
const OWN = /^(run|redis|search|logs|rebuild\.sqlite.*)$/;
/** On a full disk some file systems create a file but cannot fill it. */
const PROBE_BYTES = 64 * 1024;

/** The umask of this process and its children: nobody else may read new files. */
export const umaskOfData = OTHERS;

/**
 * Makes DATA_DIR a folder that only this user can enter, and closes files that an older version left open to others.
 * @throws StartError if it cannot be written, belongs to another user, or holds things that are not Ruyi's
 */
export function openDataDir(dataDir: string): void {
  try {
    mkdirSync(dataDir, { recursive: true, mode: 0o700 });
    const stats = statSync(dataDir);
    if (!stats.isDirectory()) throw new StartError(`DATA_DIR=${dataDir}: cannot be written (it is not a folder)`);
    probe(dataDir, stats);
    requireOwner(dataDir, stats);
    tighten(dataDir, stats);
    for (const name of readdirSync(dataDir).filter((entry) => OWN.test(entry)))
      closeToOthers(join(dataDir, name), true);
  } catch (error) {
    throw error instanceof StartError ? error : new StartError(`DATA_DIR=${dataDir}: ${problemOf(error)}`);
  }
}

function requireOwner(dataDir: string, { uid }: Stats): void {
  const ownUid = process.geteuid?.();
  if (ownUid === undefined || uid === ownUid) return;
  throw new StartError(
    `DATA_DIR=${dataDir}: is not this user's (it belongs to uid ${uid}, this is uid ${ownUid}); start Ruyi as that user, or set DATA_DIR to another folder`,
  );
}

/** Closes a folder that others can enter, unless it holds other things: it may be /tmp or somebody's home. */
function tighten(dataDir: string, { mode }: Stats): void {
  if ((mode & OTHERS) === 0) return;
  const entries = readdirSync(dataDir);
  const used = entries.includes('run') && entries.includes('redis');
  const foreign = entries.find((entry) => !OWN.test(entry) && entry !== 'lost+found');
  if (foreign !== undefined && !used) {
    throw new StartError(
      `DATA_DIR=${dataDir}: others can read it, and it holds other things (${foreign}); set DATA_DIR to a folder of Ruyi's own, or close it: chmod 700 '${dataDir.replaceAll("'", "'\\''")}'`,
    );
  }
  chmodSync(dataDir, 0o700);
  if ((statSync(dataDir).mode & OTHERS) !== 0) {
    throw new StartError(
      `DATA_DIR=${dataDir}: others can read it, and its file system keeps no modes; set DATA_DIR to a folder on another one`,
    );
  }
}

/** Takes all rights from group and others. Follows a symbolic link only at the top, where the operator put it. */
function closeToOthers(path: string, isTop = false): void {
  const stats = statOf(path, isTop);
  if (stats === undefined || stats.isSymbolicLink()) return;
  if ((stats.mode & OTHERS) !== 0) chmodSync(path, stats.mode & 0o700);
  if (!stats.isDirectory()) return;
  for (const name of readdirSync(path)) closeToOthers(join(path, name));
}

/** @returns undefined if it has just gone: another start may hold this folder, which the lock reports later */
function statOf(path: string, followLinks: boolean): Stats | undefined {
  return followLinks ? statSync(path, { throwIfNoEntry: false }) : lstatSync(path, { throwIfNoEntry: false });
}

function probe(dataDir: string, { uid }: Stats): void {
  const file = join(dataDir, `.probe.${process.pid}`);
  try {
    writeFileSync(file, Buffer.alloc(PROBE_BYTES), { mode: 0o600, flush: true });
  } catch (error) {
    throw new StartError(`DATA_DIR=${dataDir}: ${problemOf(error, uid)}`);
  } finally {
    rmSync(file, { force: true });
  }
}

function problemOf(error: unknown, owner?: number): string {
  const { code, errno } = errorFields(error);
  if (code === 'EROFS') return 'is read-only (so is its file system); set DATA_DIR to a folder that can be written';
  if (code === 'EACCES' || code === 'EPERM') {
    const belongs = owner === undefined ? '' : `, it belongs to uid ${owner}`;
    return `is read-only for this user (uid ${process.geteuid?.()}${belongs}): ${oneLine(error)}`;
  }
  if (code === 'ENOSPC') return 'its disk is full; make room, or set DATA_DIR to another one';
  if (errno === -constants.errno.EDQUOT) return 'its disk quota is used up; make room, or set DATA_DIR to another disk';
  return `cannot be written (${oneLine(error)})`;
}

function errorFields(error: unknown): { code?: unknown; errno?: unknown } {
  if (!(error instanceof Error)) return {};
  return { code: 'code' in error ? error.code : undefined, errno: 'errno' in error ? error.errno : undefined };
}
