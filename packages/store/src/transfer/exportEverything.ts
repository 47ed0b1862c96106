import type { RedisClient } from '@ruyi/redis';
import { isDamage } from '../damage.ts';
import type { Entry } from '../entries.ts';
import { scanKeys } from '../logs/keyScan.ts';
import type { Store } from '../store.ts';
import { linesOfKey, newContext } from './exportKeys.ts';
import { framed, type Unreadable } from './frame.ts';
import { type Line, saidOf, type ThingLine } from './lines.ts';

/** Keys whose first lines are read together, in one round trip; each of them takes at most about 32 KB, a body more. */
const KEYS_AT_ONCE = 64;
const KEYS = { pattern: 'r:{*', count: 500 };

export interface ExportOptions {
  redis: RedisClient;
  store: Store;
  /** told what is damaged and left out */
  onUnreadable(what: string, reason: string): void;
  /** ends the export */
  signal: AbortSignal;
}

/**
 * Everything that is kept in Redis besides jobs: logs, inboxes, cursors, channels, subscribers, users, bodies, progress and
 * what is known of client_msg_nos. It is read in pages, so memory stays bounded. What is stored meanwhile may be missing.
 * @throws Error if a server was restarted meanwhile, or slots of a cluster moved: some keys may have been missed
 */
export async function* exportEverything(options: ExportOptions): AsyncGenerator<Line> {
  const { store } = options;
  const server = await store.serverRun();
  yield* framed(options, 'everything', async function* (unreadable) {
    yield* exportLogs(options, unreadable);
    yield* exportOtherKeys(options, unreadable);
    if ((await store.serverRun()) !== server) {
      throw new Error('Redis was restarted meanwhile, or slots of its cluster moved: export again');
    }
  });
}

async function* exportLogs({ store, signal }: ExportOptions, unreadable: Unreadable): AsyncGenerator<ThingLine> {
  for await (const { pages } of store.logScan.pages('0', signal)) {
    signal.throwIfAborted();
    for (const page of pages) {
      if (page.unreadable !== undefined) unreadable(`channel ${page.channel}`, page.unreadable);
      for (const { seq, entry } of page.entries) yield logLine(page.channel, seq, entry);
    }
  }
}

const logLine = (channel: string, seq: number, entry: Entry): ThingLine =>
  entry.kind === 'inline'
    ? { kind: 'message', channel, seq, ...saidOf(entry.body) }
    : { kind: 'entry', channel, seq, body: entry.ref, position: entry.position };

async function* exportOtherKeys(
  { redis, store, signal }: ExportOptions,
  unreadable: Unreadable,
): AsyncGenerator<ThingLine> {
  const context = await newContext(redis, store, unreadable);
  for await (const { keys: found } of scanKeys(redis, KEYS)) {
    for (let i = 0; i < found.length; i += KEYS_AT_ONCE) {
      signal.throwIfAborted();
      const some = found.slice(i, i + KEYS_AT_ONCE).flatMap((key) => {
        const pages = linesOfKey(context, key);
        return pages ? [{ key, pages }] : [];
      });
      // The first pages of all of them in one round trip, since most keys have no second one.
      const begun = await Promise.all(some.map(({ key, pages }) => begin(key, pages, unreadable)));
      for (const pages of begun) for await (const page of pages) yield* page;
    }
  }
}

/** Reads the first page of lines, and returns all of them. A key that cannot be read is reported. */
async function begin(key: string, pages: AsyncGenerator<ThingLine[]>, unreadable: Unreadable) {
  const guarded = untilDamaged(key, pages, unreadable);
  const first = await guarded.next();
  return (async function* () {
    if (first.done) return;
    yield first.value;
    yield* guarded;
  })();
}

async function* untilDamaged(key: string, pages: AsyncGenerator<ThingLine[]>, unreadable: Unreadable) {
  try {
    yield* pages;
  } catch (error) {
    if (!isDamage(error)) throw error;
    unreadable(`key ${key}`, error.message);
  }
}
