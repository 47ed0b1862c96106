import { withProgress } from '../progress.ts';
import type { Line } from '../report.ts';
import type { Scale } from '../scale.ts';
import { summarize } from '../statistics.ts';
import { batchBodies, broadcast, payloadOf, startSystem } from '../system.ts';

const BATCH = 10_000;
/** bytes */
const PAYLOADS = { '136 bytes': 136, '10 KiB': 10_240 };

/** Bytes of Redis memory per recipient, after all queues are emptied. */
export async function memory(scale: Scale): Promise<Line[]> {
  const lines: Line[] = [];
  for (const [name, bytes] of withProgress('memory', Object.entries(PAYLOADS), 2)) {
    const batches = scale.tiny ? 1 : 100;
    const system = await startSystem();
    try {
      const { client } = system.redis;
      const used = async () => Number(/used_memory:(\d+)/.exec(await client.info('memory'))?.[1]);
      const before = await used();
      await broadcast(system, batchBodies('s', batches, BATCH, payloadOf(bytes)));
      const keys = await client.keys('{r.*');
      if (keys.length > 0) await client.del(...keys);
      const value = summarize([((await used()) - before) / (batches * BATCH)]);
      const details = { recipients: batches * BATCH, keys: await client.dbsize() };
      lines.push({
        what: `memory a recipient, payload ${name}`,
        goal: '≤ 230',
        value,
        unit: 'bytes',
        met: value.median <= 230,
        details,
      });
    } finally {
      await system.stop();
    }
  }
  return lines;
}
