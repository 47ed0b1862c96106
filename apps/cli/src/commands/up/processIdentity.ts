import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

/** Tells a process apart from a later one with the same id, even after the machine was rebooted. */
export interface ProcessIdentity {
  pid: number;
  started: string;
}

/** @returns undefined if there is no such process */
export function identify(pid: number): ProcessIdentity | undefined {
  const started = process.platform === 'linux' ? startedOnLinux(pid) : startedByPs(pid);
  return started === undefined ? undefined : { pid, started };
}

export const isAlive = (identity: ProcessIdentity): boolean => identify(identity.pid)?.started === identity.started;

function startedOnLinux(pid: number): string | undefined {
  try {
    // The command name is in brackets and may contain spaces, so fields are counted after it (proc(5): 3 state, 22
    // start).
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8')
      .replace(/^.*\) /s, '')
      .split(' ');
    if (fields[0] === 'Z' || fields[0] === 'X') return undefined;
    return `${readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()}:${fields[19]}`;
  } catch {
    return undefined;
  }
}

function startedByPs(pid: number): string | undefined {
  const { stdout } = spawnSync('ps', ['-o', 'lstart=', '-p', String(pid)], { encoding: 'utf8' });
  return stdout?.trim() || undefined;
}
