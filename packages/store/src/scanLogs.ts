import { together } from '@ruyi/flow';
import type { Redis } from 'ioredis';
import { isDamage } from './damage.ts';
import { decodeEntry, type Entry } from './entries.ts';
import { untilServed } from './retry.ts';
import { runScript } from './scripts.ts';

const KEYS_AT_ONCE = 500;
/** Logs and bytes that are held at once: a log may hold thousands of the largest messages. */
const LOGS_AT_ONCE = 100;
const FIRST_PAGE = { entries: 128, bytes: 32 * 1024 };
const PAGE = { entries: 1000, bytes: 1024 * 1024 };
const PATTERN = 'r:{*}:log:*';
const LOG_KEY = /^r:\{\d+\}:log:(.*)$/s;

export interface LogPage {
  channel: string;
  entries: { seq: number; entry: Entry }[];
  /** why something in it cannot be read; it is left out */
  unreadable?: string;
}

/** Pages of many logs, and where to go on once all of them are dealt with; `'0'` at the end. */
interface ScannedLogs {
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
    for (let i = 0; i < keys.length; i += LOGS_AT_ONCE) {
      const logs = keys.slice(i, i + LOGS_AT_ONCE).filter((key) => LOG_KEY.test(key));
      yield* scanSome(redis, logs, signal);
    }
    yield { pages: [], logs: keys.length, next: cursor };
  } while (cursor !== '0');
}

/** Some logs, whole: the first pages of all of them in one round trip, since most logs are short. */
async function* scanSome(redis: Redis, keys: string[], signal: AbortSignal): AsyncGenerator<ScannedLogs> {
  const firsts = await untilServed(
    () => together(...keys.map((key) => readPage(redis, key, '-inf', FIRST_PAGE))),
    signal,
  );
  yield { pages: firsts.map(({ page }) => page), logs: 0 };
  for (const [i, key] of keys.entries()) {
    for (let after = firsts[i]?.next; after !== undefined; ) {
      const from = after;
      const { page, next } = await untilServed(() => readPage(redis, key, from, PAGE), signal);
      yield { pages: [page], logs: 0 };
      after = next;
    }
  }
}

/** A page of a log, and where the next one begins. Also of a key that is no log: the others must not go without. */
async function readPage(
  redis: Redis,
  key: string,
  from: string,
  { entries, bytes }: typeof PAGE,
): Promise<{ page: LogPage; next?: string }> {
  const channel = LOG_KEY.exec(key)?.[1] ?? '';
  try {
    const reply = await runScript(redis, 'readLog', [key], [from, '+inf', 'up', entries, bytes]);
    const [found, isEnd] = Array.isArray(reply) ? reply : [];
    const texts = Array.isArray(found) ? found.map(String) : [];
    const last = texts.at(-1);
    const page = pageOf(channel, texts);
    return last === undefined || isEnd === 1 ? { page } : { page, next: `(${last}` };
  } catch (error) {
    if (!isDamage(error)) throw error;
    return { page: { channel, entries: [], unreadable: error.message } };
  }
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
