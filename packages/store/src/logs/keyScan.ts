import { mastersOf, type RedisClient } from '@ruyi/redis';

/** Keys of one step, and the cursor to go on from; `'0'` at the end. In a cluster a cursor is `<master> <its cursor>`. */
export interface ScannedKeys {
  keys: string[];
  next: string;
}

const END = '0';
const CURSOR = /^(?:(\S+) )?(\d+)$/;

/**
 * Goes over the keys of the installation, about `count` per step, one master after the other, in the order in which the
 * server holds them. A key that is there from beginning to end is returned at least once, unless its slot moves to another
 * master meanwhile. Every walk over keys is made with this.
 * @param from a `next` of an earlier scan of the same run of the server (serverRun)
 */
export async function* scanKeys(
  redis: RedisClient,
  { pattern, count, from = END }: { pattern: string; count: number; from?: string },
): AsyncGenerator<ScannedKeys> {
  const [, first = '', begin = '0'] = CURSOR.exec(from) ?? [];
  const masters = (await mastersOf(redis)).filter(({ name }) => name >= first);
  for (const [i, master] of masters.entries()) {
    let cursor = master.name === first ? begin : '0';
    do {
      const [next, keys] = await master.redis.scan(cursor, 'MATCH', pattern, 'COUNT', count);
      cursor = next;
      yield { keys, next: cursorAfter(cursor, master.name, masters[i + 1]?.name) };
    } while (cursor !== '0');
  }
}

function cursorAfter(cursor: string, name: string, following: string | undefined): string {
  if (cursor !== '0') return name === '' ? cursor : `${name} ${cursor}`;
  return following === undefined ? END : `${following} 0`;
}
