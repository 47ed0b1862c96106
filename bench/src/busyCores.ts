import { readFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { procStat } from '@ruyi/process';
import { summarize } from './statistics.ts';
import type { System } from './system.ts';

/** Clock ticks per second in /proc, on every Linux that Node runs on. */
const TICKS = 100;
const WAITS = ' waits';

/**
 * CPU seconds so far, by part of the system, and how long each waited for a core. `machine` counts every process on it,
 * `stolen` what its host gave to others. Linux only; empty elsewhere.
 */
function cpuSeconds(system: System): Record<string, number> {
  try {
    const workers = system.workers.reduce((sum, { pid }) => sum + processSeconds(pid), 0);
    const { user, system: kernel } = process.cpuUsage();
    return {
      API: processSeconds(system.api.pid),
      workers,
      Redis: processSeconds(system.redis.pid),
      load: (user + kernel) / 1e6,
      ...ofMachine(),
      [`API${WAITS}`]: waitOf(system.api.pid),
      [`workers${WAITS}`]: system.workers.reduce((sum, { pid }) => sum + waitOf(pid), 0),
      [`Redis${WAITS}`]: waitOf(system.redis.pid),
    };
  } catch {
    return {};
  }
}

/** CPU seconds of a process. */
export function processSeconds(pid: number): number {
  const { 11: user, 12: kernel } = procStat(pid);
  return (Number(user) + Number(kernel)) / TICKS;
}

/** Seconds in which the main thread could have run but had no core: proc(5), /proc/pid/task/tid/schedstat. */
function waitOf(pid: number): number {
  const [, waited] = readFileSync(`/proc/${pid}/task/${pid}/schedstat`, 'utf8').split(' ');
  return Number(waited) / 1e9;
}

/** proc_stat(5): everything in the first line except idle and iowait, and the time that other guests of the same host took. */
function ofMachine(): { machine: number; stolen: number } {
  const [line = ''] = readFileSync('/proc/stat', 'utf8').split('\n');
  const ticks = line.trim().split(/\s+/).slice(1).map(Number);
  const [user = 0, nice = 0, kernel = 0, , , irq = 0, softirq = 0, stolen = 0] = ticks;
  return { machine: (user + nice + kernel + irq + softirq) / TICKS, stolen: stolen / TICKS };
}

/** Measures over several rounds how many cores each part of the system keeps busy. */
export class BusyCores {
  readonly #rounds: Record<string, number>[] = [];

  async during<T>(system: System, work: () => Promise<T>): Promise<T> {
    const before = cpuSeconds(system);
    const begun = performance.now();
    const result = await work();
    const seconds = (performance.now() - begun) / 1000;
    const after = cpuSeconds(system);
    this.#rounds.push(
      Object.fromEntries(Object.entries(after).map(([part, value]) => [part, (value - (before[part] ?? 0)) / seconds])),
    );
    return result;
  }

  /** For the details of a line, e.g. `{'busy cores of 2': 'API 0.61, workers 0.32, …'}`. */
  details(when = 'busy cores'): Record<string, string> {
    const parts = Object.keys(this.#rounds[0] ?? {});
    if (parts.length === 0) return {};
    const medians = (part: string) => summarize(this.#rounds.map((round) => round[part] ?? 0)).median.toFixed(2);
    const textOf = (wanted: string[]) => wanted.map((part) => `${part.replace(WAITS, '')} ${medians(part)}`).join(', ');
    return {
      [`${when} of ${cpus().length}`]: textOf(parts.filter((part) => !part.endsWith(WAITS))),
      // A share of the time: a process with 0.3 stood still for a third of it, because others had the cores.
      [`${when}: waits for one`]: textOf(parts.filter((part) => part.endsWith(WAITS))),
    };
  }
}
