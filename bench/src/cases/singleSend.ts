import { fileURLToPath } from 'node:url';
import { startProcess, type TestProcess, waitFor } from '@ruyi/testkit';
import autocannon from 'autocannon';
import { BusyCores, processSeconds } from '../busyCores.ts';
import { type Used, usedBy } from '../costs.ts';
import { roundsOf } from '../progress.ts';
import type { Line } from '../report.ts';
import type { Scale } from '../scale.ts';
import { summarize } from '../statistics.ts';
import { payloadOf, type System, startSystem } from '../system.ts';

export const CONNECTIONS = 64;
const MANY_CONNECTIONS = 512;

interface Load {
  perSecond: number;
  answered: number;
  p99: number;
}

/** Sends single messages from this process, to 64 groups. */
export async function sendSingles(
  address: string,
  seconds: number,
  from = 'u1',
  connections = CONNECTIONS,
): Promise<Load> {
  const requests = Array.from({ length: CONNECTIONS }, (_, i) => ({
    method: 'POST' as const,
    path: '/message/send',
    body: JSON.stringify({ from_uid: from, channel_id: `g${i}`, channel_type: 2, payload: payloadOf(136) }),
  }));
  const result = await autocannon({ url: address, connections, duration: seconds, requests });
  if (result.non2xx > 0 || result.errors > 0) throw new Error(`${result.non2xx} refused, ${result.errors} errors`);
  return { perSecond: result.requests.average, answered: result['2xx'], p99: result.latency.p99 };
}

/** Single sends over 64 and 512 connections, compared with an Express app with the same server options that only parses the body and answers. */
export async function singleSend(scale: Scale): Promise<Line[]> {
  const system = await startSystem();
  const bare = await startProcess(fileURLToPath(new URL('../bareServer.js', import.meta.url)));
  try {
    const warmup = (await sendSingles(system.address, 1)).answered;
    await sendSingles(addressOf(bare), 1);
    const lines: Line[] = [];
    let sent = warmup;
    for (const connections of [CONNECTIONS, MANY_CONNECTIONS]) {
      const measured = await measureSingles({ system, bare, connections, sent, scale });
      sent = measured.sent;
      lines.push(measured.line);
    }
    return lines;
  } finally {
    await bare.kill('SIGTERM');
    await system.stop();
  }
}

const addressOf = ({ details }: TestProcess) => String(details.address);

interface Measured {
  system: System;
  bare: TestProcess;
  connections: number;
  /** messages so far */
  sent: number;
  scale: Scale;
}

async function measureSingles({ system, bare, connections, sent: sentBefore, scale }: Measured) {
  const seconds = scale.tiny ? 1 : 8;
  const [ratios, ours, theirs, drains]: [number[], number[], number[], number[]] = [[], [], [], []];
  const bareCosts: number[] = [];
  const costs: Record<keyof Used, number[]> = { api: [], workers: [], redis: [], jobs: [], commands: [], scripts: [] };
  const busy = new BusyCores();
  let sent = sentBefore;
  for (const _round of roundsOf(`single sends, ${connections} connections`, scale.rounds)) {
    const before = processSeconds(bare.pid);
    const other = await sendSingles(addressOf(bare), seconds, 'u1', connections);
    bareCosts.push((processSeconds(bare.pid) - before) / other.answered);
    // What is stored after the last answer is part of the costs.
    const { used, result } = await usedBy(system, async () => {
      const load = await busy.during(system, () => sendSingles(system.address, seconds, 'u1', connections));
      sent += load.answered;
      const begun = performance.now();
      await storedAll(system, sent);
      drains.push((performance.now() - begun) / (seconds * 1000));
      return load;
    });
    for (const [name, value] of Object.entries(used)) costs[name as keyof Used].push(value / result.answered);
    ratios.push(result.perSecond / other.perSecond);
    ours.push(result.perSecond);
    theirs.push(other.perSecond);
  }
  const value = summarize(ratios);
  const each = (name: keyof Used, unit = 1) => summarize(costs[name].map((cost) => cost * unit)).median;
  const cpu = each('api', 1e6) + each('workers', 1e6) + each('redis', 1e6);
  const line: Line = {
    what: `single send, ${connections} connections`,
    goal: '≥ 0.35 of bare Express',
    value,
    unit: '×',
    met: value.median >= 0.35,
    details: {
      'ours/s': summarize(ours).median,
      'bare/s': summarize(theirs).median,
      'CPU µs a message': cpu,
      'bare µs': summarize(bareCosts).median * 1e6,
      'API µs': each('api', 1e6),
      'worker µs': each('workers', 1e6),
      'Redis µs': each('redis', 1e6),
      'messages a job': 1 / each('jobs'),
      'Redis commands a message': each('commands'),
      'scripts a message': each('scripts'),
      // 0 means that everything was stored when the last answer came.
      'time to drain / time of load': summarize(drains).median,
      ...busy.details(),
    },
  };
  return { line, sent };
}

/** Resolves when so many messages are in the logs that sendSingles writes to. */
export async function storedAll(system: System, sent: number): Promise<void> {
  const isStored = async () => (await storedSingles(system)) >= sent;
  await waitFor(isStored, { what: 'all singles to be stored', deadlineMs: 120_000, everyMs: 100 });
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
