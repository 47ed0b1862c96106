import { readFileSync } from 'node:fs';
import autocannon from 'autocannon';
import type { Line } from '../report.ts';
import type { Scale } from '../scale.ts';
import { summarize } from '../statistics.ts';
import { payloadOf, type System, startSystem } from '../system.ts';
import { CONNECTIONS, storedAll, storedSingles } from './singleSend.ts';

/** Sends twice MAX_BACKLOG without a worker, then starts one: everything that was answered 200 must be stored. */
export async function backpressure(scale: Scale): Promise<Line[]> {
  const backlog = scale.tiny ? 500 : 20_000;
  const system = await startSystem({ workers: 0, env: { MAX_BACKLOG: String(backlog) } });
  try {
    const before = { redis: await redisMemory(system), api: residentMemory(system.api.pid) };
    const requests = Array.from({ length: CONNECTIONS }, (_, i) => ({
      method: 'POST' as const,
      path: '/message/send',
      body: JSON.stringify({ from_uid: 'u1', channel_id: `g${i}`, channel_type: 2, payload: payloadOf(136) }),
    }));
    const load = await autocannon({ url: system.address, connections: CONNECTIONS, amount: 2 * backlog, requests });
    const accepted = load['2xx'];
    const refused = load.statusCodeStats?.['429']?.count ?? 0;
    const after = { redis: await redisMemory(system), api: residentMemory(system.api.pid) };
    const probe = await fetch(`${system.address}/message/send`, { method: 'POST', body: requests[0]?.body ?? '' });
    await system.startWorker();
    await storedAll(system, accepted);
    const stored = await storedSingles(system);
    return [
      {
        what: 'no worker, 2 × MAX_BACKLOG sends: stored / answered 200',
        goal: '= 1, the rest 429',
        value: summarize([stored / accepted]),
        unit: '×',
        met: stored === accepted && accepted + refused === 2 * backlog && probe.status === 429 && load.errors === 0,
        details: {
          MAX_BACKLOG: backlog,
          'answered 200': accepted,
          'answered 429': refused,
          'Retry-After s': Number(probe.headers.get('retry-after')),
          'p99 ms': load.latency.p99,
          'Redis bytes a waiting message': (after.redis - before.redis) / accepted,
          'API MB more': (after.api - before.api) / 1024 ** 2,
        },
      },
    ];
  } finally {
    await system.stop();
  }
}

async function redisMemory({ redis }: System): Promise<number> {
  return Number(/used_memory:(\d+)/.exec(await redis.client.info('memory'))?.[1]);
}

/** In bytes. Linux only; 0 elsewhere. */
function residentMemory(pid: number): number {
  try {
    return Number(/VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) * 1024;
  } catch {
    return 0;
  }
}
