import { batchBodies, payloadOf } from '../system.ts';
import { type Costs, type CpuCosts, type LogSize, sizeByPayload, type UnitCosts } from './costs.ts';
import { type MeasuredSystem, startMeasuredSystem } from './system.ts';

/** How much is measured; `tiny` only shows that it works. */
export interface Extent {
  batch: number;
  batches: number;
  warmups: number;
  singles: number;
  /** recipients whose logs grow, and after how many messages each their memory is read */
  logs: number;
  messages: number[];
  /** how long it may take until all of it is stored */
  storedMs: number;
}

export const FULL: Extent = {
  batch: 10_000,
  batches: 20,
  warmups: 4,
  singles: 40_000,
  logs: 20_000,
  messages: [1, 2, 10, 30, 100, 300],
  storedMs: 600_000,
};
export const TINY: Extent = {
  batch: 200,
  batches: 2,
  warmups: 1,
  singles: 128,
  logs: 20,
  messages: [1, 2, 5],
  storedMs: 60_000,
};

const SMALL_PAYLOAD = 136;
const LARGE_PAYLOAD = 2136;
const MICROSECONDS = 1e6;

const perUnit = (cpu: CpuCosts, units: number): CpuCosts => {
  const one = (seconds: number) => (seconds * MICROSECONDS) / units;
  return { api: one(cpu.api), worker: one(cpu.worker), redis: one(cpu.redis), indexer: one(cpu.indexer) };
};

/** Measures all costs on one master. */
export async function measureCosts(extent: Extent): Promise<Costs> {
  return withSystem(1, extent, async (system) => {
    const broadcast = await broadcastCosts(system, extent);
    const logs = await logSizes(system, extent);
    return { broadcast, logs, single: await singleCosts(system, extent) };
  });
}

/** What the model predicts, measured on so many masters. */
export async function measureMasters(
  masters: number,
  extent: Extent,
  messagesPerLog: number,
): Promise<{ broadcast: UnitCosts; logBytes: number }> {
  return withSystem(masters, extent, async (system) => {
    const broadcast = await broadcastCosts(system, extent);
    const [size] = await logSizes(system, { ...extent, messages: [messagesPerLog] });
    return { broadcast, logBytes: size?.bytes ?? 0 };
  });
}

async function withSystem<T>(masters: number, extent: Extent, work: (system: MeasuredSystem) => Promise<T>) {
  const system = await startMeasuredSystem(masters, extent.storedMs);
  try {
    await system.broadcast(batchBodies('warmup', extent.warmups, extent.batch));
    return await work(system);
  } finally {
    await system.stop();
  }
}

async function broadcastCosts(system: MeasuredSystem, { batch, batches }: Extent): Promise<UnitCosts> {
  const bodies = batchBodies('news', batches, batch);
  const { cpu, aof } = await system.usedBy(() => system.broadcast(bodies));
  return { cpu: perUnit(cpu, batch * batches), aofBytes: aof / (batch * batches) };
}

/** Every batch goes to the same recipients, so that their logs grow. */
async function logSizes(system: MeasuredSystem, { logs, messages }: Extent): Promise<LogSize[]> {
  const [body = ''] = batchBodies('growing', 1, logs);
  const sizes: LogSize[] = [];
  let bytes = 0;
  let sent = 0;
  for (const wanted of messages) {
    const bodies = Array.from({ length: wanted - sent }, () => body);
    bytes += (await system.usedBy(() => system.broadcast(bodies))).memory;
    sent = wanted;
    sizes.push({ messages: wanted, bytes: bytes / logs });
  }
  return sizes;
}

async function singleCosts(system: MeasuredSystem, { singles }: Extent): Promise<Costs['single']> {
  await system.send(singles / 2, payloadOf(SMALL_PAYLOAD));
  const small = await system.usedBy(() => system.send(singles, payloadOf(SMALL_PAYLOAD)));
  const large = await system.usedBy(() => system.send(singles / 4, payloadOf(LARGE_PAYLOAD)));
  const sizeOf = (kind: 'memory' | 'aof') =>
    sizeByPayload(
      { payload: SMALL_PAYLOAD, bytes: small[kind] / singles },
      { payload: LARGE_PAYLOAD, bytes: large[kind] / (singles / 4) },
    );
  return { cpu: perUnit(small.cpu, singles), memory: sizeOf('memory'), aof: sizeOf('aof') };
}
