import type { Redis } from 'ioredis';
import { isDamage } from './damage.ts';
import { decodeEntry, type Entry } from './entries.ts';
import { untilServed } from './retry.ts';

const KEYS_AT_ONCE = 500;
const ENTRIES_AT_ONCE = 128;
const PATTERN = 'r:{*}:log:*';
const LOG_KEY = /^r:\{\d+\}:log:(.*)$/s;

export interface LogPage {
  channel: string;
  entries: { seq: number; entry: Entry }[];
  /** why something in it cannot be read; it is left out */
  unreadable?: string;
}

/** Pages of many logs, and where to go on once all of them are dealt with; `'0'` at the end. */
export interface ScannedLogs {
  pages: LogPage[];
  /** logs that are complete with this */
  logs: number;
  next?: string;
}

export async function countLogs(redis: Redis): Promise<number> {
  let count = 0;
  let cursor = '0';
  do {
    const [next, keys] = await redis.scan(cursor, 'MATCH', PATTERN, 'COUNT', 10 * KEYS_AT_ONCE);
    cursor = next;
    count += keys.length;
  } while (cursor !== '0');
  return count;
}

/**
 * Names the run of the server, which ends with its process. A cursor of one run leads nowhere in another: keys stand in an
 * order of its own there.
 */
export async function serverRun(redis: Redis): Promise<string> {
  const [, run = ''] = /^run_id:(\w+)/m.exec(await redis.info('server')) ?? [];
  return run;
}

/**
 * Every entry of every log, many logs at a time, for a rebuild of the search index. Logs that are there from beginning to
 * end are returned at least once, if the server is the same run throughout; what is stored meanwhile may be missing.
 * @param from a `next` of an earlier scan, to go on behind it
 * @param signal aborts waiting for a Redis that does not serve
 */
export async function* scanLogs(
  redis: Redis,
  from = '0',
  signal: AbortSignal = new AbortController().signal,
): AsyncGenerator<ScannedLogs> {
  let cursor = from;
  do {
    const [next, keys] = await redis.scan(cursor, 'MATCH', PATTERN, 'COUNT', KEYS_AT_ONCE);
    cursor = next;
    const replies = await untilServed(() => firstPages(redis, keys), signal);
    const pages: LogPage[] = [];
    const longer: { key: string; channel: string; after: string | undefined }[] = [];
    for (const [i, key] of keys.entries()) {
      const channel = LOG_KEY.exec(key)?.[1];
      const reply = replies[i];
      // Also a key that is no log: it holds nothing that anyone could read, and the others must not go without.
      if (channel === undefined || !Array.isArray(reply)) continue;
      const page = reply.map(String);
      pages.push(pageOf(channel, page));
      if (page.length === 2 * ENTRIES_AT_ONCE) longer.push({ key, channel, after: page.at(-1) });
    }
    yield { pages, logs: 0 };
    for (const { key, channel, after } of longer) {
      for (let last = after; last !== undefined; ) {
        const page = await redis.zrange(key, `(${last}`, '+inf', 'BYSCORE', 'LIMIT', 0, ENTRIES_AT_ONCE, 'WITHSCORES');
        yield { pages: [pageOf(channel, page)], logs: 0 };
        last = page.length === 2 * ENTRIES_AT_ONCE ? page.at(-1) : undefined;
      }
    }
    yield { pages: [], logs: keys.length, next: cursor };
  } while (cursor !== '0');
}

/**
 * The first page of each log, in one round trip: most logs are short. An error in the place of what is no log.
 * @throws Error where Redis did not serve all of them, as where the connection is cut after the first replies
 */
async function firstPages(redis: Redis, keys: string[]): Promise<unknown[]> {
  const pipeline = redis.pipeline();
  for (const key of keys) pipeline.zrange(key, '-inf', '+inf', 'BYSCORE', 'LIMIT', 0, ENTRIES_AT_ONCE, 'WITHSCORES');
  const replies = (await pipeline.exec()) ?? [];
  return replies.map(([error, reply]) => {
    if (error && !error.message.startsWith('WRONGTYPE')) throw error;
    return error ?? reply;
  });
}

/** The entries of a page, but those that are damaged. */
function pageOf(channel: string, page: string[]): LogPage {
  const result: LogPage = { channel, entries: [] };
  for (let i = 0; i + 1 < page.length; i += 2) {
    const seq = Number(page[i + 1]);
    try {
      result.entries.push({ entry: decodeEntry(page[i] ?? ''), seq });
    } catch (error) {
      if (!isDamage(error)) throw error;
      result.unreadable = `message_seq ${seq}: ${error.message}`;
    }
  }
  return result;
}
