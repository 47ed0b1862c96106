import { together } from '@ruyi/flow';
import { type RedisClient, untilServed } from '@ruyi/redis';
import { isDamage } from '../damage.ts';
import { decodeEntry, type Entry } from '../entries.ts';
import { parseShardKey } from '../keys.ts';
import { scanKeys } from './keyScan.ts';
import { type RawEntry, readPage } from './readPage.ts';

const KEYS_AT_ONCE = 500;
/** Logs and bytes in memory at once: a log may hold thousands of the largest messages. */
const LOGS_AT_ONCE = 100;
const FIRST_PAGE = { entries: 128, bytes: 32 * 1024 };
const PAGE = { entries: 1000, bytes: 1024 * 1024 };
const PATTERN = 'r:{*}:log:*';
/** The channel whose log a key is; undefined if it is no log. */
function channelOfLog(key: string): string | undefined {
  const { kind, name } = parseShardKey(key) ?? {};
  return kind === 'log' ? name : undefined;
}

export interface LogPage {
  channel: string;
  entries: { seq: number; entry: Entry }[];
  /** why something in it cannot be read; it is left out */
  unreadable?: string;
}

/** Pages of many logs, and the cursor to go on from once all of them are processed; `'0'` at the end. */
interface ScannedLogs {
  pages: LogPage[];
  /** logs that are complete with this */
  logs: number;
  next?: string;
}

/** Goes over every log of the installation, for a rebuild of the search index. */
export class LogScan {
  readonly #redis: RedisClient;

  constructor(redis: RedisClient) {
    this.#redis = redis;
  }

  async count(): Promise<number> {
    let count = 0;
    const range = { pattern: PATTERN, count: 10 * KEYS_AT_ONCE };
    for await (const { keys } of scanKeys(this.#redis, range)) count += keys.length;
    return count;
  }

  /**
   * Every entry of every log, many logs at a time, one master after the other. Logs that are there from beginning to end
   * are returned at least once, if the servers are the same runs throughout, with the same slots: another run keeps its
   * keys in another order, so a cursor means nothing there (`serverRun`). Whatever is stored meanwhile may be missing.
   * @param from a `next` of an earlier scan, to go on after it
   * @param signal aborts waiting for a Redis that does not serve
   */
  async *pages(from = '0', signal: AbortSignal = new AbortController().signal): AsyncGenerator<ScannedLogs> {
    for await (const { keys, next } of scanKeys(this.#redis, { pattern: PATTERN, count: KEYS_AT_ONCE, from })) {
      for (let i = 0; i < keys.length; i += LOGS_AT_ONCE) {
        const logs = keys.slice(i, i + LOGS_AT_ONCE).filter((key) => channelOfLog(key) !== undefined);
        yield* scanSome(this.#redis, logs, signal);
      }
      yield { pages: [], logs: keys.length, next };
    }
  }
}

/** Some logs, whole: the first pages of all of them in one round trip, since most logs are short. */
async function* scanSome(redis: RedisClient, keys: string[], signal: AbortSignal): AsyncGenerator<ScannedLogs> {
  const firsts = await untilServed(
    () => together(...keys.map((key) => pageOfLog(redis, key, '-inf', FIRST_PAGE))),
    signal,
  );
  yield { pages: firsts.map(({ page }) => page), logs: 0 };
  for (const [i, key] of keys.entries()) {
    for (let after = firsts[i]?.next; after !== undefined; ) {
      const from = after;
      const { page, next } = await untilServed(() => pageOfLog(redis, key, from, PAGE), signal);
      yield { pages: [page], logs: 0 };
      after = next;
    }
  }
}

/** A page of a log, and where the next one begins. A key that is not a log is reported instead of stopping the scan. */
async function pageOfLog(
  redis: RedisClient,
  key: string,
  from: string,
  page: typeof PAGE,
): Promise<{ page: LogPage; next?: string }> {
  const channel = channelOfLog(key) ?? '';
  try {
    const { entries, isEnd } = await readPage(redis, key, { from, to: '+inf', direction: 'up', ...page });
    const last = entries.at(-1);
    const decoded = decodedPage(channel, entries);
    return last === undefined || isEnd ? { page: decoded } : { page: decoded, next: `(${last.seq}` };
  } catch (error) {
    if (!isDamage(error)) throw error;
    return { page: { channel, entries: [], unreadable: error.message } };
  }
}

/** The entries of a page without the damaged ones. */
function decodedPage(channel: string, entries: RawEntry[]): LogPage {
  const result: LogPage = { channel, entries: [] };
  for (const { text, seq } of entries) {
    try {
      result.entries.push({ entry: decodeEntry(text), seq });
    } catch (error) {
      if (!isDamage(error)) throw error;
      result.unreadable = `message_seq ${seq}: ${error.message}`;
    }
  }
  return result;
}
