import { type Master, mastersOf, type RedisClient, redisMemory, serverClock } from '@ruyi/redis';
import { unlessDamaged } from '../damage.ts';
import { scanKeys } from '../logs/keyScan.ts';
import { BodyTimes } from '../sweep/bodyTimes.ts';
import { kindOf, MEMORY_KINDS, type MemoryKind, ownerOf } from './kinds.ts';
import { Largest, type Sized } from './largest.ts';
import { shareOlderThan } from './shareOlderThan.ts';

/** Keys that are asked for together: Redis serves others after a tenth of a millisecond. */
const KEYS_AT_ONCE = 100;
/** Elements of a large key whose size is looked at; 0 means all. A listpack or a string is exact in any case. */
const SAMPLES = { usual: 50, exact: 0 };
const MOST_NAMED = 10;

interface SurveyOptions {
  /** seconds after which it ends with what it has; Infinity goes over all keys */
  seconds: number;
  /** every element is looked at. That blocks Redis for a second per some million messages of a channel */
  exact: boolean;
  /** how much these bounds of logs would free */
  retention?: number | undefined;
  maxAge?: number | undefined;
}

export interface MemorySurvey {
  /** of all keys, estimated from those that were looked at */
  kinds: Record<MemoryKind, { keys: number; bytes: number }>;
  /** of those that were looked at */
  largest: { channels: Sized[]; inboxes: Sized[] };
  /** messages and bytes that the bounds would free, estimated */
  freed?: { messages: number; bytes: number };
  lookedAt: { keys: number; of: number };
  redis: { used: number; allowed: number };
}

/** What a walk over keys has found so far. */
interface Walk {
  redis: Master['redis'];
  options: SurveyOptions;
  times: BodyTimes;
  now: number;
  kinds: MemorySurvey['kinds'];
  channels: Largest;
  inboxes: Largest;
  freed: { messages: number; bytes: number };
}

/**
 * Finds out what takes Redis' memory, one master after the other: each has as much time. The order of a scan says nothing
 * about the keys, so a part stands for the whole of its master.
 */
export async function surveyMemory(redis: RedisClient, options: SurveyOptions): Promise<MemorySurvey> {
  const [masters, memory, now] = await Promise.all([mastersOf(redis), redisMemory(redis), serverClock(redis)]);
  const channels = new Largest(MOST_NAMED);
  const inboxes = new Largest(MOST_NAMED);
  const times = new BodyTimes(redis);
  const kinds = emptyKinds();
  const freed = { messages: 0, bytes: 0 };
  const lookedAt = { keys: 0, of: 0 };
  for (const master of masters) {
    const walk = { options, times, now, channels, inboxes, redis: master.redis };
    const part = await surveyMaster({ ...walk, kinds: emptyKinds(), freed: { messages: 0, bytes: 0 } }, masters.length);
    for (const kind of MEMORY_KINDS) {
      kinds[kind].keys += part.kinds[kind].keys;
      kinds[kind].bytes += part.kinds[kind].bytes;
    }
    freed.messages += part.freed.messages;
    freed.bytes += part.freed.bytes;
    lookedAt.keys += part.looked;
    lookedAt.of += part.of;
  }
  return {
    kinds,
    largest: { channels: channels.sorted(), inboxes: inboxes.sorted() },
    ...(options.retention === undefined && options.maxAge === undefined ? {} : { freed }),
    lookedAt,
    redis: memory,
  };
}

/** One of `masters`. @returns what all of its keys take, and how many of them were looked at */
async function surveyMaster(walk: Walk, masters: number) {
  const deadline = performance.now() + (walk.options.seconds * 1000) / masters;
  const of = await walk.redis.dbsize();
  let looked = 0;
  let isWhole = true;
  for await (const { keys } of scanKeys(walk.redis, { pattern: '*', count: KEYS_AT_ONCE })) {
    await Promise.all(keys.map((key) => unlessDamaged(() => lookAt(walk, key))));
    looked += keys.length;
    isWhole = performance.now() < deadline;
    if (!isWhole) break;
  }
  const scale = isWhole || looked === 0 ? 1 : Math.max(1, of / looked);
  return {
    kinds: scaledKinds(walk.kinds, scale),
    freed: scaled(walk.freed, scale),
    looked,
    of: isWhole ? looked : Math.max(of, looked),
  };
}

async function lookAt(walk: Walk, key: string): Promise<void> {
  const { redis, options } = walk;
  const samples = options.exact ? SAMPLES.exact : SAMPLES.usual;
  const bytes = Number((await redis.memory('USAGE', key, 'SAMPLES', samples).catch(forbidden)) ?? 0);
  // It has expired or was deleted meanwhile.
  if (bytes === 0) return;
  const kind = kindOf(key);
  walk.kinds[kind].keys++;
  walk.kinds[kind].bytes += bytes;
  if (kind === 'logs') await lookAtLog(walk, key, bytes);
  if (kind === 'inboxes') walk.inboxes.add({ name: ownerOf(key), count: await redis.llen(key), bytes });
}

async function lookAtLog({ redis, options, times, now, channels, freed }: Walk, key: string, bytes: number) {
  const count = await redis.zcard(key);
  channels.add({ name: ownerOf(key), count, bytes });
  if (count === 0) return;
  const over = options.retention === undefined ? 0 : Math.max(0, count - options.retention);
  const old = options.maxAge === undefined ? 0 : await shareOlderThan(redis, times, key, now - options.maxAge);
  const gone = Math.max(over, Math.round(old * count));
  freed.messages += gone;
  freed.bytes += (gone / count) * bytes;
}

/** A user of Redis who may see only Ruyi's keys is refused the size of others: they are left out. */
function forbidden(error: unknown): null {
  if (error instanceof Error && error.message.startsWith('NOPERM')) return null;
  throw error;
}

const emptyKinds = (): MemorySurvey['kinds'] => ({
  logs: { keys: 0, bytes: 0 },
  inboxes: { keys: 0, bytes: 0 },
  counters: { keys: 0, bytes: 0 },
  broadcasts: { keys: 0, bytes: 0 },
  idempotency: { keys: 0, bytes: 0 },
  'channels and users': { keys: 0, bytes: 0 },
  queues: { keys: 0, bytes: 0 },
  'dead letters': { keys: 0, bytes: 0 },
  other: { keys: 0, bytes: 0 },
  'not of Ruyi': { keys: 0, bytes: 0 },
});

function scaledKinds(kinds: MemorySurvey['kinds'], scale: number): MemorySurvey['kinds'] {
  const result = emptyKinds();
  for (const kind of MEMORY_KINDS) {
    result[kind] = { keys: Math.round(kinds[kind].keys * scale), bytes: Math.round(kinds[kind].bytes * scale) };
  }
  return result;
}

const scaled = ({ messages, bytes }: { messages: number; bytes: number }, scale: number) => ({
  messages: Math.round(messages * scale),
  bytes: Math.round(bytes * scale),
});
