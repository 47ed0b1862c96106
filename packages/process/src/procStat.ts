import { readFileSync } from 'node:fs';

/**
 * What the kernel says of a process on Linux, proc_pid_stat(5), from its third field on: `[0]` is the state. The second one, the
 * name of the program, may contain anything, so fields are counted after it.
 * @throws Error if there is no such process, or no /proc
 */
export function procStat(pid: number | string): string[] {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  return stat.slice(stat.lastIndexOf(')') + 2).split(' ');
}
