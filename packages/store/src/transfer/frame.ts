import { randomUUID } from 'node:crypto';
import type { RedisClient } from '@ruyi/redis';
import { SCHEMA } from '../installation/schema.ts';
import { VERSION } from '../installation/version.ts';
import { keys } from '../keys.ts';
import type { Store } from '../store.ts';
import { EXPORT_FORMAT, type Line, ThingLine } from './lines.ts';

/** Reports something damaged that is left out. */
export type Unreadable = (what: string, reason: string) => void;

interface Frame {
  redis: RedisClient;
  store: Store;
  onUnreadable: Unreadable;
}

/** Lines between the first one, which says what they are, and the last one, which counts them. */
export async function* framed(
  { redis, store, onUnreadable }: Frame,
  of: string,
  things: (unreadable: Unreadable) => AsyncGenerator<ThingLine>,
): AsyncGenerator<Line> {
  yield {
    kind: 'ruyi-export',
    format: EXPORT_FORMAT,
    id: randomUUID(),
    version: VERSION,
    schema: SCHEMA,
    shards: store.layout.shards.count,
    time: await store.clock(),
    of,
  };
  const counts: Record<string, number> = {};
  let damaged = 0;
  const unreadable: Unreadable = (what, reason) => {
    damaged++;
    onUnreadable(what, reason);
  };
  for await (const line of things(unreadable)) {
    // Redis may hold what Ruyi never writes, a seq of 0 for example. No import would take that.
    const parsed = ThingLine.safeParse(line);
    if (!parsed.success) {
      unreadable(`${line.kind}${placeOf(line)}`, `${parsed.error.issues[0]?.path.join('.')} is not valid`);
      continue;
    }
    counts[line.kind] = (counts[line.kind] ?? 0) + 1;
    yield line;
  }
  // Read last, so it is beyond the ids of everything above.
  yield { kind: 'end', counts, unreadable: damaged, next_id: Number((await redis.get(keys.ids)) ?? 0) };
}

/** Where a thing is, for people: ` of channel 2:room`. */
function placeOf(line: ThingLine): string {
  if ('channel' in line) return ` of channel ${line.channel}`;
  return 'uid' in line ? ` of user ${line.uid}` : '';
}
