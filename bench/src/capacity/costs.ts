/** CPU in microseconds, of one recipient or one message, by part of the system. */
export interface CpuCosts {
  api: number;
  worker: number;
  /** of all masters together */
  redis: number;
  indexer: number;
}

/** What one unit of work costs: a recipient of a broadcast, or a single message. */
export interface UnitCosts {
  cpu: CpuCosts;
  /** written to the append-only files, of all masters together */
  aofBytes: number;
}

/** A size that grows with the payload, in bytes. */
export interface SizeByPayload {
  fixed: number;
  perPayloadByte: number;
}

/** Memory of logs that hold `messages` messages each, in bytes per log. */
export interface LogSize {
  messages: number;
  bytes: number;
}

/** Everything that a plan is computed from; measured by `npm run capacity`. */
export interface Costs {
  broadcast: UnitCosts;
  single: { cpu: CpuCosts; memory: SizeByPayload; aof: SizeByPayload };
  /** of logs of broadcast references, ascending by `messages` */
  logs: LogSize[];
}

export const sizeAt = ({ fixed, perPayloadByte }: SizeByPayload, payloadBytes: number): number =>
  fixed + perPayloadByte * payloadBytes;

/** The size of things that were measured with two payloads. */
export function sizeByPayload(small: { payload: number; bytes: number }, large: typeof small): SizeByPayload {
  const perPayloadByte = (large.bytes - small.bytes) / (large.payload - small.payload);
  return { fixed: small.bytes - perPayloadByte * small.payload, perPayloadByte };
}

/**
 * Memory of a log with so many broadcast references, in bytes: between two measured sizes a straight line, beyond the
 * largest the slope of the last two.
 */
export function logBytes(sizes: readonly LogSize[], messages: number): number {
  const after = sizes.findIndex((size) => size.messages >= messages);
  const upper = after === -1 ? sizes.length - 1 : Math.max(1, after);
  const [low, high] = [sizes[upper - 1], sizes[upper]];
  if (low === undefined || high === undefined) return (sizes[0]?.bytes ?? 0) * messages;
  if (messages < low.messages) return (low.bytes * messages) / low.messages;
  const slope = (high.bytes - low.bytes) / (high.messages - low.messages);
  return low.bytes + slope * (messages - low.messages);
}
