import { LANE_KINDS } from '@ruyi/queue';
import type { Cluster, Redis } from 'ioredis';
import type { Findings } from '../findings.ts';
import { LANES, SHARDS } from '../system/system.ts';
import { allKeys } from './allKeys.ts';

const PLACE_KEY = /^r:\{[0-9a-z]+\}:(log|in):(.*)$/s;
/** Keys of messages, users and channels, and keys that expire by themselves: they grow with what is stored. */
const STORED =
  /^r:\{b?\w+\}:(log|seq|in|inseq|cur|sub|groups|chan|user|users|idem|frozen|body|gone|late|progress|about)\b|^r:\{reports\}/;
/** What a broadcast needs only until it has ended. */
const WORK = /^r:\{\w+\}:(bl|parts|merging|counts|cursors|flight)\b/;
/** What an upload that was killed has staged: it goes by itself. */
const STAGED = /^r:\{\w+\}:bs\b/;
/** Keys of a queue, and of the completed jobs that are kept for the board. */
const KEYS_OF_QUEUE = 40;

/**
 * Finds logs and inboxes that no request named, into which something must have crossed. Also checks that there are only as
 * many keys without a message as before anything was stored.
 * @returns how many keys hold no message
 */
export async function checkStrayKeys(
  redis: Redis | Cluster,
  places: { has(place: string): boolean },
  findings: Findings,
): Promise<number> {
  let others = 0;
  const shapes = new Map<string, number>();
  for await (const key of allKeys(redis)) {
    if (STAGED.test(key)) {
      if ((await redis.ttl(key)) === -1) findings.add('growth', `${key} is left of an upload, for ever`);
    } else if (!STORED.test(key)) {
      others++;
      const shape = shapeOf(key);
      shapes.set(shape, (shapes.get(shape) ?? 0) + 1);
    }
    if (WORK.test(key)) findings.add('growth', `${key} is left of a broadcast that has ended`);
    const [, kind, name] = PLACE_KEY.exec(key) ?? [];
    if (kind === undefined) continue;
    const place = `${kind === 'in' ? 'inbox' : 'log'} ${name}`;
    if (!places.has(place)) findings.add('unexpected', `${key} was written by nobody`);
  }
  // Each lane has a head in each shard. A shard has an outbox, and its counts.
  const lanes = LANE_KINDS.length * LANES;
  if (others > (lanes + 2) * SHARDS + (lanes + 2) * KEYS_OF_QUEUE) {
    const most = [...shapes].sort(([, a], [, b]) => b - a).slice(0, 12);
    findings.add(
      'growth',
      `${others} keys hold no message: ${most.map(([shape, count]) => `${count} ${shape}`).join(', ')}`,
    );
  }
  return others;
}

/** The key without what tells it from others of its kind: tags, numbers and digests. */
const shapeOf = (key: string): string => key.replace(/\{[^}]*\}/g, '{}').replace(/[0-9a-f]*\d[\w-]*/g, '#');
