import { setTimeout as pause } from 'node:timers/promises';
import { keys } from '@ruyi/store';
import { BusyCores } from '../busyCores.ts';
import { roundsOf } from '../progress.ts';
import type { Line } from '../report.ts';
import type { Scale } from '../scale.ts';
import { quantile, summarize } from '../statistics.ts';
import { steadyLoad } from '../steadyLoad.ts';
import { batchBodies, broadcast, type System, startSystem } from '../system.ts';

/** Nobody sweeps while somebody who never does holds the sweep. */
const holdSweep = ({ redis }: System) => redis.client.set(keys.sweeper, 'bench');
const freeSweep = ({ redis }: System) => redis.client.del(keys.sweeper);

const logsOf = async ({ redis }: System) => (await redis.client.keys('r:*:log:*')).length;

/** p99 of single sends while a sweep goes over logs and drops expired messages, compared with the same load without it. */
export async function sweep(scale: Scale): Promise<Line[]> {
  const [batches, size, ms] = scale.tiny ? [1, 1000, 500] : [60, 10_000, 8000];
  const ratios: number[] = [];
  const details: Record<string, number> = {};
  const cores = { quiet: new BusyCores(), busy: new BusyCores() };
  const system = await startSystem();
  try {
    await holdSweep(system);
    await broadcast(system, batchBodies('warmup', 1, 1000));
    for (const round of roundsOf('sweep', scale.tiny ? 1 : scale.rounds)) {
      const bodies = batchBodies(`s${round}`, batches, size).map((body) => expiring(body, 1));
      await broadcast(system, bodies);
      await pause(1000);
      const quiet = await cores.quiet.during(system, () => steadyLoad(system, pause(ms)));
      const before = await logsOf(system);
      await freeSweep(system);
      const busy = await cores.busy.during(system, () => steadyLoad(system, pause(ms)));
      await holdSweep(system);
      details['logs swept a second'] = ((before - (await logsOf(system))) * 1000) / ms;
      ratios.push(quantile(busy.send, 0.99) / quantile(quiet.send, 0.99));
      for (const share of [0.5, 0.99]) {
        details[`send p${share * 100} without ms`] = quantile(quiet.send, share);
        details[`send p${share * 100} with ms`] = quantile(busy.send, share);
      }
    }
  } finally {
    await system.stop();
  }
  const value = summarize(ratios);
  return [
    {
      what: 'single send p99 during a sweep',
      goal: '< 1.5 × without',
      value,
      unit: '×',
      met: value.median < 1.5,
      details: { ...details, ...cores.quiet.details('cores without'), ...cores.busy.details('cores during') },
    },
  ];
}

/** The same batch, expired after some seconds. */
const expiring = (body: string, seconds: number): string => `{"expire":${seconds},${body.slice(1)}`;
