import { setTimeout as pause } from 'node:timers/promises';
import type { FaultContext } from './faults/fault.ts';
import { faults } from './faults/index.ts';
import type { FaultName } from './faults/names.ts';

/** What one fault did, and how the system reacted. */
export interface Phase {
  fault: FaultName | 'calm';
  seconds: number;
  counts: Record<string, number>;
  longestStallMs: number;
  /** time from the end of the harm until every lane stored messages again */
  recoveryMs: number;
  /** latency of answered requests, in ms */
  p50: number;
  p99: number;
}

const CALM_MS = 2000;

export type SharedContext = Omit<FaultContext, 'forMs' | 'count'>;

/** Runs the faults one after the other, in an order that the seed decides, with pauses in between. */
export async function runSchedule(
  shared: SharedContext,
  names: FaultName[],
  totalMs: number,
  say: (line: string) => void,
): Promise<Phase[]> {
  const phases = [await runPhase(shared, 'calm', names.length === 0 ? totalMs : CALM_MS)];
  if (names.length === 0) return phases;
  const order = shuffled(names, shared.random);
  const forMs = Math.max(1000, (totalMs - CALM_MS * (order.length + 1)) / order.length);
  for (const name of order) {
    say(`${name}, ${Math.round(forMs / 1000)} s`);
    phases.push(await runPhase(shared, name, forMs));
    await pause(CALM_MS);
  }
  return phases;
}

async function runPhase(shared: SharedContext, name: Phase['fault'], forMs: number): Promise<Phase> {
  const { progress, load, findings, system, ledger } = shared;
  ledger.phase = name;
  const counts: Record<string, number> = {};
  const count = (what: string, by = 1) => {
    counts[what] = (counts[what] ?? 0) + by;
  };
  progress.longestStall();
  load.stats.latencies.length = 0;
  const from = performance.now();
  let recoveryMs = 0;
  try {
    if (name === 'calm') await pause(forMs);
    else await faults[name]({ ...shared, forMs, count });
    await system.allReady();
    recoveryMs = await progress.recovered();
  } catch (error) {
    findings.add('stuck', `${name}: ${error instanceof Error ? error.stack : String(error)}`);
  }
  const seconds = (performance.now() - from) / 1000;
  const latencies = load.stats.latencies.toSorted((a, b) => a - b);
  const quantile = (q: number) => Math.round((latencies[Math.floor(q * latencies.length)] ?? 0) * 10) / 10;
  const longestStallMs = progress.longestStall();
  return { fault: name, seconds, counts, longestStallMs, recoveryMs, p50: quantile(0.5), p99: quantile(0.99) };
}

function shuffled<T>(items: readonly T[], random: { whole(min: number, max: number): number }): T[] {
  const left = [...items];
  return items.flatMap(() => left.splice(random.whole(0, left.length - 1), 1));
}
