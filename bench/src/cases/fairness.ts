import { setTimeout as pause } from 'node:timers/promises';
import { BusyCores } from '../busyCores.ts';
import type { Line } from '../report.ts';
import type { Scale } from '../scale.ts';
import { quantile, summarize } from '../statistics.ts';
import { batchBodies, broadcast, payloadOf, type System, startSystem } from '../system.ts';

const PER_SECOND = 100;

interface Latencies {
  send: number[];
  read: number[];
  sync: number[];
}

/** Sends, reads and syncs at a steady rate until `until` resolves. @returns latencies in ms */
async function steadyLoad(system: System, until: Promise<unknown>): Promise<Latencies> {
  const latencies: Latencies = { send: [], read: [], sync: [] };
  let running = true;
  void until.finally(() => {
    running = false;
  });
  const measure = async (into: number[], work: () => Promise<unknown>) => {
    const start = performance.now();
    await work();
    into.push(performance.now() - start);
  };
  const message = { from_uid: 'single', channel_id: 'pace', channel_type: 2, payload: payloadOf(136) };
  const requests: Promise<void>[] = [];
  const begun = performance.now();
  for (let i = 0; running; i++) {
    requests.push(measure(latencies.send, () => system.post('/message/send', message)));
    if (i % 4 === 0)
      requests.push(
        measure(latencies.read, () => system.post('/channel/messagesync', { channel_id: 'pace', channel_type: 2 })),
      );
    if (i % 4 === 2) requests.push(measure(latencies.sync, () => system.post('/message/sync', { uid: 'single' })));
    const next = begun + ((i + 1) * 1000) / PER_SECOND;
    await pause(Math.max(0, next - performance.now()));
  }
  await Promise.all(requests);
  return latencies;
}

/** p99 of single sends during a broadcast (100 batches of 10,000), compared with the same load without it. */
export async function fairness(scale: Scale): Promise<Line[]> {
  const [batches, size, quietMs] = scale.tiny ? [1, 1000, 500] : [100, 10_000, 8000];
  const ratios: number[] = [];
  const details: Record<string, number> = {};
  const cores = { quiet: new BusyCores(), busy: new BusyCores() };
  const system = await startSystem();
  try {
    await broadcast(system, batchBodies('warmup', 1, 1000));
    for (let round = 0; round < (scale.tiny ? 1 : scale.rounds); round++) {
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
