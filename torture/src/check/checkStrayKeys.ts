import type { Redis } from 'ioredis';
import type { Findings } from '../findings.ts';

const PLACE_KEY = /^r:\{\d+\}:(log|in):(.*)$/s;
const SCAN_COUNT = 1000;

/** Logs and inboxes that no request named: something crossed into them. */
export async function checkStrayKeys(
  redis: Redis,
  places: { has(place: string): boolean },
  findings: Findings,
): Promise<void> {
  let cursor = '0';
  do {
    const [next, page] = await redis.scan(cursor, 'COUNT', SCAN_COUNT);
    for (const key of page) {
      const [, kind, name] = PLACE_KEY.exec(key) ?? [];
      if (kind === undefined) continue;
      const place = `${kind === 'in' ? 'inbox' : 'log'} ${name}`;
      if (!places.has(place)) findings.add('unexpected', `${key} was written by nobody`);
    }
    cursor = next;
  } while (cursor !== '0');
}
