import type { RedisClient } from '@ruyi/redis';
import { parseShardKey } from '../keys.ts';
import { scanKeys } from './keyScan.ts';

const KEYS_AT_ONCE = 500;
/** Redis holds its keys in no order, so the first ones are as good as any. */
const LOOKED_AT = 5000;

/** The names of some channels that have a log, at most `most`, picked at random among the first ones that Redis lists. */
export async function sampleLogs(redis: RedisClient, most: number, random = Math.random): Promise<string[]> {
  const channels: string[] = [];
  let looked = 0;
  for await (const { keys } of scanKeys(redis, { pattern: 'r:{*}:log:*', count: KEYS_AT_ONCE })) {
    looked += KEYS_AT_ONCE;
    for (const key of keys) {
      const { kind, name } = parseShardKey(key) ?? {};
      if (kind === 'log' && name !== undefined) channels.push(name);
    }
    if (looked >= LOOKED_AT && channels.length >= most) break;
  }
  const sample: string[] = [];
  while (sample.length < most && channels.length > 0) {
    sample.push(...channels.splice(Math.floor(random() * channels.length), 1));
  }
  return sample;
}
