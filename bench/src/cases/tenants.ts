import { roundsOf } from '../progress.ts';
import type { Line } from '../report.ts';
import type { Scale } from '../scale.ts';
import { summarize } from '../statistics.ts';
import { batchBodies, broadcast, startSystem, timed } from '../system.ts';

const SMALL_ONES = 5;

/** Other senders' batches to 10 recipients, sent while a large broadcast waits: must they wait for all of it? */
export async function tenants(scale: Scale): Promise<Line[]> {
  const batches = scale.tiny ? 3 : 100;
  const ratios: number[] = [];
  const small: number[] = [];
  const rests: number[] = [];
  const system = await startSystem();
  try {
    await broadcast(system, batchBodies('warmup', 1, 1000));
    for (const round of roundsOf('tenants', scale.rounds)) {
      // Many connections, so that nearly all of it waits on the lanes before the first small batch.
      const large = broadcast(system, batchBodies(`large${round}`, batches, 10_000), 16);
      await broadcast(system, batchBodies(`first${round}`, 1, 10));
      for (let i = 0; i < SMALL_ONES; i++) {
        small.push(await timed(() => broadcast(system, batchBodies(`small${round}.${i}`, 1, 10))));
      }
      const rest = await timed(() => large);
      rests.push(rest);
      ratios.push(summarize(small.slice(-SMALL_ONES)).median / rest);
    }
  } finally {
    await system.stop();
  }
  const value = summarize(ratios);
  return [
    {
      what: "another sender's batch of 10 during a large broadcast",
      goal: '< 0.5 of the wait for the rest of it',
      value,
      unit: '×',
      met: value.median < 0.5,
      details: {
        'batch of 10 s': summarize(small).median,
        'rest of the large one s': summarize(rests).median,
        'recipients of the large one': batches * 10_000,
      },
    },
  ];
}
