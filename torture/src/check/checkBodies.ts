import type { Cluster, Redis } from 'ioredis';
import type { Findings } from '../findings.ts';
import { allKeys } from './allKeys.ts';

const PLACE = /^r:\{[0-9a-z]+\}:(log|in):/;
/** An entry that refers to the body of a broadcast. */
const REFERENCE = /^([0-9a-z]{1,11})\.\d+$/;
const FIELDS = ['m', 'p'];

/**
 * Checks that the body of every reference is there, in Redis itself: whoever reads a log takes an entry without a body for
 * an expired one.
 */
export async function checkBodies(redis: Redis | Cluster, findings: Findings): Promise<void> {
  const places = new Map<string, string>();
  for await (const key of allKeys(redis)) {
    const [, kind] = PLACE.exec(key) ?? [];
    if (kind === undefined) continue;
    const entries = kind === 'log' ? redis.zrange(key, '0', '-1') : redis.lrange(key, 0, -1);
    const unreadable = (error: Error): string[] => {
      findings.add('torn', `${key}: ${error.message}`);
      return [];
    };
    for (const entry of await entries.catch(unreadable)) {
      const [, ref] = REFERENCE.exec(entry) ?? [];
      if (ref !== undefined) places.set(ref, key);
    }
  }
  for (const [ref, place] of places) {
    const fields = await redis.hkeys(`r:{b${ref}}:body`);
    if (!FIELDS.every((field) => fields.includes(field))) {
      findings.add('torn', `${place} refers to broadcast ${ref}, whose body has ${fields.join(' and ') || 'nothing'}`);
    }
  }
}
