import { spawn } from 'node:child_process';
import {
  closeSync,
  existsSync,
  fstatSync,
  fsyncSync,
  ftruncateSync,
  openSync,
  readFileSync,
  readSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { type Launched, launchRedis, oneLine, onPath, type RedisPlan, StartError } from '@ruyi/process';
import { holdsWholeCommands } from './aofCommands.ts';

interface Aof extends Pick<RedisPlan, 'binary' | 'dir' | 'say'> {
  /** PATH */
  path: string | undefined;
}

/** More than Redis keeps in memory between two writes to the disk: a longer tail was not left by a crash. */
const LONGEST_TAIL = 64 * 1024 * 1024;

/**
 * By default redis-server accepts a file that ends within a command. If that command belongs to a transaction, it keeps what is
 * before it, open, and the next start completes it with the transactions that were written later: half of a script runs.
 */
const REFUSE_CUT_AOF = ['--aof-load-truncated', 'no'];

/** It ended because of its AOF, which is whole now: it can be launched again. */
class RepairedError extends StartError {}

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

/**
 * Starts redis-server and keeps it running, now and after each of its ends on an AOF without what a crash left at its end.
 * @param path PATH @param start keeps running what it launches; rejects if the first start fails
 */
export async function startOnWholeAof(
  plan: RedisPlan,
  path: string | undefined,
  start: (launch: () => Launched) => Promise<void>,
): Promise<void> {
  const aof = { ...plan, path };
  if (endsWithinCommand(aof.dir)) await repairAof(aof);
  const args = [...REFUSE_CUT_AOF, ...(plan.args ?? [])];
  const launch = () => repairing(aof, launchRedis({ ...plan, args }));
  try {
    await start(launch);
  } catch (error) {
    if (!(error instanceof RepairedError)) throw error;
    await start(launch);
  }
}

/** If it ends because of its AOF, that is repaired before its end is told, so that the next one can start. */
function repairing(aof: Aof, launched: Launched): Launched {
  const ready = launched.ready.catch(async (error: unknown) => {
    if (damagesAof(error) && (await repairAof(aof))) throw new RepairedError('the end of its AOF was damaged');
    throw error;
  });
  return { ...launched, ready, gone: Promise.allSettled([ready]).then(() => launched.gone) };
}

/**
 * Cuts off what a crash has left after the last whole command or transaction of the newest file. It keeps a copy of that
 * first. If a whole command follows the damage, the damage is not at the end, and nothing is cut.
 * @returns whether anything was cut
 * @throws StartError that says what to do if the damage is not at the end, or no copy can be made
 */
async function repairAof({ binary, path, dir, say }: Aof): Promise<boolean> {
  const file = newestIncrement(dir);
  if (file === undefined) return false;
  const intact = await intactBytes(binary, path, file);
  const size = sizeOf(file);
  if (intact === undefined || intact >= size) return false;
  const time = new Date().toISOString().replaceAll(':', '');
  const tail = size - intact > LONGEST_TAIL ? undefined : readFrom(file, intact);
  if (tail === undefined || holdsWholeCommands(tail)) {
    const copy = `${file}.damaged-${time}`;
    throw new StartError(
      `redis: ${file} is damaged at byte ${intact} of ${size}, not only at its end; nothing was changed. Restore ${dir} from a backup, or give up everything after the damage: cp ${shell(file)} ${shell(copy)} && truncate -s ${intact} ${shell(file)}`,
    );
  }
  const kept = `${file}.cut-${time}`;
  try {
    writeFileSync(kept, tail, { flag: 'wx', mode: 0o600, flush: true });
  } catch (error) {
    throw new StartError(`redis: the end of ${file} is damaged, and cannot be copied (${oneLine(error)})`);
  }
  truncate(file, intact);
  say(`redis: cut ${tail.length} damaged bytes off the end of its AOF, which a crash left; they are kept: ${kept}`);
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

/** Truncates the file to `length` bytes, on the disk. */
function truncate(file: string, length: number): void {
  withFile(file, 'r+', (fd) => {
    ftruncateSync(fd, length);
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
