import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { procStat } from '@ruyi/process';
import { Cluster, type Redis } from 'ioredis';
import { runningGroups } from './atExit.ts';

/**
 * Every key that the pattern does not allow, sorted. For the end of a test:
 * `expect(await unexpectedKeys(redis.client, /^r:/)).toEqual([])`.
 */
export async function unexpectedKeys(client: Redis | Cluster, allowed: RegExp): Promise<string[]> {
  const found = new Set<string>();
  for (const node of client instanceof Cluster ? client.nodes('master') : [client]) {
    let cursor = '0';
    do {
      const [next, keys] = await node.scan(cursor, 'COUNT', 1000);
      for (const key of keys) if (!allowed.test(key)) found.add(key);
      cursor = next;
    } while (cursor !== '0');
  }
  return [...found].sort();
}

/** In the flags of a process: it was forked, and has not started a program of its own (PF_FORKNOEXEC of Linux). */
const FORKED_ONLY = 0x40;

/** Whether a process is still a copy of its parent, as every child is for a moment, with its parent's command line. */
function isFork(pid: string): boolean {
  const { 6: flags } = procStat(pid);
  return (Number(flags) & FORKED_ONLY) !== 0;
}

/**
 * The processes that belong to a folder, so that a test finds grandchildren (Linux only, elsewhere none). One of their
 * environment variables is the folder, or they run in it. redis-server runs in it, and overwrites its environment with
 * its title. The command of a child that has not started its program yet is `(forked)`.
 */
export function processesOf(folder: string): { pid: number; command: string }[] {
  if (process.platform !== 'linux') return [];
  return readdirSync('/proc').flatMap((entry) => {
    if (!/^\d+$/.test(entry)) return [];
    try {
      const variables = readFileSync(`/proc/${entry}/environ`, 'utf8').split('\0');
      const worksIn = `${readlinkSync(`/proc/${entry}/cwd`)}/`;
      if (!variables.some((variable) => variable.endsWith(`=${folder}`)) && !worksIn.startsWith(`${folder}/`))
        return [];
      // Look at the flags first: a child that has its program by then has its command line, too.
      const forked = isFork(entry);
      const command = readFileSync(`/proc/${entry}/cmdline`, 'utf8').replaceAll('\0', ' ').trim();
      // A zombie has no command line: it has ended, but its parent has not collected it yet.
      return command === '' ? [] : [{ pid: Number(entry), command: forked ? '(forked)' : command }];
    } catch {
      return [];
    }
  });
}

/**
 * Fails if a redis-server or process that this test file started is still running.
 * @throws Error naming the process ids
 */
export function expectNoLeaks(): void {
  const left = runningGroups();
  if (left.length > 0) throw new Error(`left running by this test: process ${left.join(', ')}`);
}
