import { roundsOf } from '../progress.ts';
import type { Line } from '../report.ts';
import type { Scale } from '../scale.ts';
import { summarize } from '../statistics.ts';
import { batchBodies, broadcast, startSystem, timed } from '../system.ts';

const BATCH = 10_000;

/** Fan-out with 1, 2 and 4 worker processes. On two cores one worker fills Redis; see docs/scaling.md. */
export async function scaling(scale: Scale): Promise<Line[]> {
  const batches = scale.tiny ? 1 : 20;
  const details: Record<string, number> = {};
  const best: number[] = [];
  for (const workers of [1, 2, 4]) {
    const system = await startSystem({ workers });
    try {
      await broadcast(system, batchBodies('warmup', 1, BATCH));
      const rates: number[] = [];
      for (const round of roundsOf(`${workers} workers`, scale.rounds)) {
        const bodies = batchBodies(`s${round}`, batches, BATCH);
        rates.push((batches * BATCH) / (await timed(() => broadcast(system, bodies))));
      }
      details[`${workers} workers recipients/s`] = summarize(rates).median;
      best.push(summarize(rates).median);
    } finally {
      await system.stop();
    }
  }
  const one = best[0] ?? 1;
  const value = summarize([Math.max(...best) / one]);
  return [
    { what: 'workers 1 → 2 → 4', goal: 'until Redis is full', value, unit: '×', met: value.median >= 0.95, details },
  ];
}
