import { setTimeout as pause } from 'node:timers/promises';
import { BusyCores } from '../busyCores.ts';
import { roundsOf } from '../progress.ts';
import type { Line } from '../report.ts';
import type { Scale } from '../scale.ts';
import { quantile, summarize } from '../statistics.ts';
import { steadyLoad } from '../steadyLoad.ts';
import { batchBodies, broadcast, startSystem } from '../system.ts';

/** p99 of single sends during a broadcast (100 batches of 10,000), compared with the same load without it. */
export async function fairness(scale: Scale): Promise<Line[]> {
  const [batches, size, quietMs] = scale.tiny ? [1, 1000, 500] : [100, 10_000, 8000];
  const ratios: number[] = [];
  const details: Record<string, number> = {};
  const cores = { quiet: new BusyCores(), busy: new BusyCores() };
  const system = await startSystem();
  try {
    await broadcast(system, batchBodies('warmup', 1, 1000));
    for (const round of roundsOf('fairness', scale.tiny ? 1 : scale.rounds)) {
      const quiet = await cores.quiet.during(system, () => steadyLoad(system, pause(quietMs)));
      const bodies = batchBodies(`s${round}`, batches, size);
      const busy = await cores.busy.during(system, () => steadyLoad(system, broadcast(system, bodies)));
      ratios.push(quantile(busy.send, 0.99) / quantile(quiet.send, 0.99));
      for (const kind of ['send', 'read', 'sync'] as const) {
        details[`${kind} p99 quiet ms`] = quantile(quiet[kind], 0.99);
        details[`${kind} p99 busy ms`] = quantile(busy[kind], 0.99);
      }
      details['send p50 quiet ms'] = quantile(quiet.send, 0.5);
      details['send p50 busy ms'] = quantile(busy.send, 0.5);
    }
  } finally {
    await system.stop();
  }
  const value = summarize(ratios);
  return [
    {
      what: 'single send p99 during a 1,000,000 broadcast',
      goal: '< 3 × without',
      value,
      unit: '×',
      met: value.median < 3,
      details: { ...details, ...cores.quiet.details('cores without'), ...cores.busy.details('cores during') },
    },
  ];
}
