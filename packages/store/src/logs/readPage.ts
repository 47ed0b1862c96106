import { loadScript, type RedisClient } from '@ruyi/redis';

const readLog = loadScript(import.meta.url, 'read-log');

/** An entry as it is stored. */
export interface RawEntry {
  text: string;
  seq: number;
}

/** Which part of a log, in the words of ZRANGE: `100`, `(100`, `+inf`; and where reading stops. */
interface PageBounds {
  from: string;
  to: string;
  direction: 'up' | 'down';
  entries: number;
  /** after these it stops, at most 8 entries later */
  bytes: number;
}

/** Entries of a log from one of its ends, as they were at one moment. */
interface Page {
  entries: RawEntry[];
  /** nothing is left behind them */
  isEnd: boolean;
  /** seconds of Redis' clock */
  now: number;
}

export async function readPage(redis: RedisClient, key: string, bounds: PageBounds): Promise<Page> {
  const { from, to, direction, entries, bytes } = bounds;
  const reply = await readLog(redis, [key], [from, to, direction, entries, bytes]);
  const [page, isEnd, now] = Array.isArray(reply) ? reply : [];
  return { entries: entriesOf(Array.isArray(page) ? page : []), isEnd: isEnd === 1, now: Number(now) };
}

/** Of a reply `entry, seq, entry, seq, …`. */
export function entriesOf(reply: unknown[]): RawEntry[] {
  const entries: RawEntry[] = [];
  for (let i = 0; i + 1 < reply.length; i += 2) entries.push({ text: String(reply[i]), seq: Number(reply[i + 1]) });
  return entries;
}
