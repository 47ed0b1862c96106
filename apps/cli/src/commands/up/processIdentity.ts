import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { procStat } from '@ruyi/process';

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
    const { 0: state, 19: start } = procStat(pid);
    if (state === 'Z' || state === 'X') return undefined;
    return `${readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()}:${start}`;
  } catch {
    return undefined;
  }
}

function startedByPs(pid: number): string | undefined {
  const { stdout } = spawnSync('ps', ['-o', 'lstart=', '-p', String(pid)], { encoding: 'utf8' });
  return stdout?.trim() || undefined;
}
