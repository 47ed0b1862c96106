import { type Costs, logBytes, sizeAt } from './costs.ts';

/** What an installation has to carry. */
export interface Load {
  /** recipients of broadcasts in the busiest hour */
  recipientsPerHour: number;
  /** single messages in the busiest hour */
  messagesPerHour: number;
  /** bytes of a payload */
  payloadBytes: number;
  /** recipients of one broadcast; its body is stored once */
  batchRecipients: number;
  /** messages that each log holds on average, as `LOG_RETENTION` or `LOG_MAX_AGE` keep them */
  messagesPerLog: number;
  /** hours of such traffic in a day */
  busyHours: number;
  /** days that messages are kept */
  keptDays: number;
  /** memory of one Redis master, `maxmemory` in bytes */
  masterBytes: number;
}

/** How many of each process, and what they keep. */
export interface Plan {
  masters: number;
  /** what decides the number of masters */
  limit: 'CPU' | 'memory';
  workers: number;
  apis: number;
  indexers: number;
  /** Redis memory for a day of traffic, GB */
  memoryGbPerDay: number;
  /** Redis memory for everything that is kept, GB */
  memoryGb: number;
  /** written to append-only files in a day, before rewrites, GB */
  aofGbPerDay: number;
}

/** Share of a core that a process may use on average in the busiest hour: a burst still finds room. */
const BUSY_SHARE = 0.6;
/** Writes are refused above 80 % of `maxmemory`; a tenth less stays for queues and what a rewrite copies. */
const FULL_SHARE = 0.7;
/** The busiest of `n` masters has so much more than the mean: the largest of the tag table for 3, 6, 12 and 16 masters. */
const UNEVEN = 1.15;
const GB = 1e9;
const SECONDS_PER_HOUR = 3600;

export function planFor(costs: Costs, load: Load): Plan {
  const { broadcast, single } = costs;
  const perSecond = load.recipientsPerHour / SECONDS_PER_HOUR;
  const singlesPerSecond = load.messagesPerHour / SECONDS_PER_HOUR;
  const cores = (part: 'api' | 'worker' | 'redis' | 'indexer') =>
    (perSecond * broadcast.cpu[part] + singlesPerSecond * single.cpu[part]) / 1e6;
  const processes = (busy: number) => Math.max(1, Math.ceil(busy / BUSY_SHARE));

  const recipientsPerDay = load.recipientsPerHour * load.busyHours;
  const messagesPerDay = load.messagesPerHour * load.busyHours;
  const perReference = logBytes(costs.logs, load.messagesPerLog) / load.messagesPerLog;
  const bodies = (recipientsPerDay / load.batchRecipients) * load.payloadBytes;
  const bytesPerDay =
    recipientsPerDay * perReference + bodies + messagesPerDay * sizeAt(single.memory, load.payloadBytes);
  const kept = bytesPerDay * load.keptDays;

  const uneven = (masters: number) => (masters > 1 ? masters * UNEVEN : masters);
  const byCpu = Math.ceil(uneven(processes(cores('redis'))));
  const byMemory = Math.ceil(uneven(Math.max(1, Math.ceil(kept / (load.masterBytes * FULL_SHARE)))));
  const aofPerDay = recipientsPerDay * broadcast.aofBytes + messagesPerDay * sizeAt(single.aof, load.payloadBytes);
  return {
    masters: Math.max(byCpu, byMemory),
    limit: byCpu >= byMemory ? 'CPU' : 'memory',
    workers: processes(cores('worker')),
    apis: processes(cores('api')),
    indexers: processes(cores('indexer')),
    memoryGbPerDay: bytesPerDay / GB,
    memoryGb: kept / GB,
    aofGbPerDay: aofPerDay / GB,
  };
}
