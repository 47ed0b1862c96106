import { spawn } from 'node:child_process';
import {
  closeSync,
  constants,
  copyFileSync,
  existsSync,
  fstatSync,
  fsyncSync,
  ftruncateSync,
  openSync,
  readFileSync,
  readSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { oneLine, onPath, StartError } from '@ruyi/process';
import { holdsWholeCommands } from './aofCommands.ts';

export interface Aof {
  /** redis-server */
  binary: string;
  /** PATH */
  path: string | undefined;
  /** DATA_DIR/redis */
  dir: string;
  say(line: string): void;
}

/** More than Redis keeps in memory between two writes to the disk: a longer tail was not left by a crash. */
const LONGEST_TAIL = 64 * 1024 * 1024;

/** Whether redis-server gave up because of the content of its append-only file. */
const damagesAof = (error: unknown): boolean =>
  error instanceof StartError && /reading the append only file/i.test(error.message);

/**
 * Whether the newest file of the AOF does not end with a line break, as every command does. redis-server would not
 * notice if zeros filled a value up to its length, because it skips the two bytes after a value without looking at
 * them.
 */
function endsWithinCommand(dir: string): boolean {
  const file = newestIncrement(dir);
  if (file === undefined) return false;
  const tail = readFrom(file, Math.max(0, sizeOf(file) - 2));
  return tail.length > 0 && tail.toString('latin1') !== '\r\n';
}

/** Starts redis-server, after cutting off what a crash of the machine left at the end of its AOF. */
export async function startOnWholeAof(aof: Aof, start: () => Promise<void>): Promise<void> {
  if (endsWithinCommand(aof.dir)) await repairAof(aof);
  try {
    await start();
  } catch (error) {
    if (!damagesAof(error) || !(await repairAof(aof))) throw error;
    await start();
  }
}

/**
 * Cuts off what a crash of the machine has left after the last whole command or transaction of the newest file. It
 * copies the file first. If a whole command follows the damage, the damage is not at the end, and nothing is cut.
 * @returns whether anything was cut
 * @throws StartError that says what to do if the damage is not at the end, or no copy can be made
 */
async function repairAof({ binary, path, dir, say }: Aof): Promise<boolean> {
  const file = newestIncrement(dir);
  if (file === undefined) return false;
  const intact = await intactBytes(binary, path, file);
  const size = sizeOf(file);
  if (intact === undefined || intact >= size) return false;
  const copy = `${file}.damaged-${new Date().toISOString().replaceAll(':', '')}`;
  if (size - intact > LONGEST_TAIL || holdsWholeCommands(readFrom(file, intact))) {
    throw new StartError(
      `redis: ${file} is damaged at byte ${intact} of ${size}, not only at its end; nothing was changed. Restore ${dir} from a backup, or give up everything after the damage: cp ${shell(file)} ${shell(copy)} && truncate -s ${intact} ${shell(file)}`,
    );
  }
  try {
    copyFileSync(file, copy, constants.COPYFILE_EXCL | constants.COPYFILE_FICLONE);
    flush(copy);
  } catch (error) {
    throw new StartError(`redis: the end of ${file} is damaged, and it cannot be copied (${oneLine(error)})`);
  }
  flush(file, intact);
  say(
    `redis: cut ${size - intact} damaged bytes off the end of its AOF (the machine crashed); the original file is kept: ${copy}`,
  );
  return true;
}

const shell = (path: string): string => `'${path.replaceAll("'", "'\\''")}'`;

/** The file that redis-server appends to; undefined before its first start, or if the manifest is not as expected. */
function newestIncrement(dir: string): string | undefined {
  const folder = join(dir, 'appendonlydir');
  const manifest = join(folder, 'appendonly.aof.manifest');
  if (!existsSync(manifest)) return undefined;
  const names = [...readFileSync(manifest, 'utf8').matchAll(/^file ([\w.-]+) seq \d+ type i\s*$/gm)];
  const name = names.at(-1)?.[1];
  const file = name === undefined ? undefined : join(folder, name);
  return file !== undefined && existsSync(file) ? file : undefined;
}

/**
 * The number of bytes up to which redis-check-aof finds whole commands and transactions. It changes nothing without
 * `--fix`. Debian ships it in another package, but redis-server is the same program and acts by the name that it is
 * started with.
 * @returns undefined if its output does not say
 */
async function intactBytes(binary: string, path: string | undefined, file: string): Promise<number | undefined> {
  const name = 'redis-check-aof';
  const beside = join(dirname(binary), name);
  const checker = existsSync(beside) ? beside : (onPath(name, path) ?? binary);
  const output = await outputOf(checker, name, file);
  const match = /AOF analyzed: .*\bok_up_to=(\d+)/.exec(output);
  return match ? Number(match[1]) : undefined;
}

function outputOf(command: string, name: string, file: string): Promise<string> {
  return new Promise((resolve) => {
    const child = spawn(command, [file], { argv0: name, stdio: ['ignore', 'pipe', 'ignore'] });
    let output = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      output += text;
    });
    child.once('error', () => resolve(''));
    child.once('close', () => resolve(output));
  });
}

function sizeOf(file: string): number {
  return withFile(file, 'r', (fd) => fstatSync(fd).size);
}

function readFrom(file: string, start: number): Buffer {
  return withFile(file, 'r', (fd) => {
    const bytes = Buffer.alloc(fstatSync(fd).size - start);
    let read = 0;
    while (read < bytes.length) {
      const more = readSync(fd, bytes, read, bytes.length - read, start + read);
      if (more === 0) break;
      read += more;
    }
    return bytes.subarray(0, read);
  });
}

/** Truncates the file to `length` bytes if that is given, and flushes it to the disk. */
function flush(file: string, length?: number): void {
  withFile(file, 'r+', (fd) => {
    if (length !== undefined) ftruncateSync(fd, length);
    fsyncSync(fd);
  });
}

function withFile<T>(file: string, flags: string, work: (fd: number) => T): T {
  const fd = openSync(file, flags);
  try {
    return work(fd);
  } finally {
    closeSync(fd);
  }
}
