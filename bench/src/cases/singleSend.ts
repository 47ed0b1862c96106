import { fileURLToPath } from 'node:url';
import { startProcess, waitFor } from '@ruyi/testkit';
import autocannon from 'autocannon';
import { BusyCores } from '../busyCores.ts';
import type { Line } from '../report.ts';
import type { Scale } from '../scale.ts';
import { summarize } from '../statistics.ts';
import { payloadOf, type System, startSystem } from '../system.ts';

export const CONNECTIONS = 64;

interface Load {
  perSecond: number;
  answered: number;
  p99: number;
}

/** Sends single messages from this process. Each connection sends to a different group. */
export async function sendSingles(address: string, seconds: number, from = 'u1'): Promise<Load> {
  const requests = Array.from({ length: CONNECTIONS }, (_, i) => ({
    method: 'POST' as const,
    path: '/message/send',
    body: JSON.stringify({ from_uid: from, channel_id: `g${i}`, channel_type: 2, payload: payloadOf(136) }),
  }));
  const result = await autocannon({ url: address, connections: CONNECTIONS, duration: seconds, requests });
  if (result.non2xx > 0 || result.errors > 0) throw new Error(`${result.non2xx} refused, ${result.errors} errors`);
  return { perSecond: result.requests.average, answered: result['2xx'], p99: result.latency.p99 };
}

/** Single sends, compared with an Express app with the same server options that only parses the body and answers. */
export async function singleSend(scale: Scale): Promise<Line[]> {
  const seconds = scale.tiny ? 1 : 8;
  const system = await startSystem();
  const bare = await startProcess(fileURLToPath(new URL('../bareServer.js', import.meta.url)));
  const ratios: number[] = [];
  const ours: number[] = [];
  const theirs: number[] = [];
  const drains: number[] = [];
  const busy = new BusyCores();
  try {
    let sent = (await sendSingles(system.address, 1)).answered;
    await sendSingles(String(bare.details.address), 1);
    for (let round = 0; round < scale.rounds; round++) {
      const other = await sendSingles(String(bare.details.address), seconds);
      const load = await busy.during(system, () => sendSingles(system.address, seconds));
      sent += load.answered;
      const begun = performance.now();
      await storedAll(system, sent);
      drains.push((performance.now() - begun) / (seconds * 1000));
      ratios.push(load.perSecond / other.perSecond);
      ours.push(load.perSecond);
      theirs.push(other.perSecond);
    }
  } finally {
    await bare.kill('SIGTERM');
    await system.stop();
  }
  const value = summarize(ratios);
  return [
    {
      what: 'single send, 64 connections',
      goal: '≥ 0.9 of bare Express',
      value,
      unit: '×',
      met: value.median >= 0.9,
      details: {
        'ours/s': summarize(ours).median,
        'bare/s': summarize(theirs).median,
        // 0 means that everything was stored when the last answer came.
        'time to drain / time of load': summarize(drains).median,
        ...busy.details(),
      },
    },
  ];
}

/** Resolves when so many messages are in the logs that sendSingles writes to. */
export async function storedAll(system: System, sent: number): Promise<void> {
  const isStored = async () => (await storedSingles(system)) >= sent;
  await waitFor(isStored, { what: 'all singles to be stored', deadlineMs: 120_000 });
}

/** The number of messages in the logs that sendSingles writes to. */
export async function storedSingles(system: System): Promise<number> {
  const seqs = await Promise.all(
    Array.from({ length: CONNECTIONS }, (_, i) =>
      system.get<{ message_seq: number }>(`/channel/max_message_seq?channel_id=g${i}&channel_type=2`),
    ),
  );
  return seqs.reduce((sum, { message_seq }) => sum + message_seq, 0);
}
