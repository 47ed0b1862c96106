import { readFileSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import type { Member } from '../system/member.ts';
import type { Fault, FaultContext } from './fault.ts';

const EVERY_MS = 2000;
/** In less time, buffers and caches that are still filling look like growth. */
const LEAST_JUDGED_MS = 300_000;
const GROWTH = { factor: 1.25, bytes: 16 * 1024 * 1024 };
const MIB = 1024 * 1024;

/** Harms nothing: under steady load no process may grow. Needs /proc. */
export const soak: Fault = async (context) => {
  const { system, forMs } = context;
  const samples = new Map<Member, number[]>(system.members.map((member) => [member, []]));
  const from = performance.now();
  while (performance.now() - from < forMs) {
    await pause(EVERY_MS);
    if (performance.now() - from < forMs / 5) continue;
    for (const [member, sizes] of samples) sizes.push(residentBytes(member.pid));
  }
  for (const [member, sizes] of samples) judge(context, member, sizes);
};

function judge({ forMs, count, findings }: FaultContext, { name }: Member, sizes: number[]): void {
  const quarter = Math.ceil(sizes.length / 4);
  const [early, late] = [median(sizes.slice(0, quarter)), median(sizes.slice(-quarter))];
  count(`MiB of ${name}, early`, Math.round(early / MIB));
  count(`MiB of ${name}, late`, Math.round(late / MIB));
  if (forMs >= LEAST_JUDGED_MS && late > early * GROWTH.factor + GROWTH.bytes) {
    findings.add('growth', `${name}: ${Math.round(early / MIB)} MiB early, ${Math.round(late / MIB)} MiB late`);
  }
}

const median = (values: number[]): number => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;

function residentBytes(pid: number): number {
  const [, kib] = /^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? [];
  return Number(kib) * 1024;
}
