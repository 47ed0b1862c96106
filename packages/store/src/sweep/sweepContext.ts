import type { RedisClient } from '@ruyi/redis';
import type { StoreLimits } from '../append/appendContext.ts';
import type { Trimmer } from '../trimming/trimmer.ts';
import type { BodyTimes } from './bodyTimes.ts';
import type { Pace } from './pace.ts';

/**
 * What was removed, by the reason: messages beyond LOG_RETENTION, older than LOG_MAX_AGE, and expired (messages and
 * commands; also what refers to a body that is gone); commands acknowledged long ago or beyond INBOX_MAX; bodies.
 */
export const SWEPT_KINDS = ['retention', 'age', 'expired', 'commands', 'bodies'] as const;
export type Swept = Record<(typeof SWEPT_KINDS)[number], number>;

/** What the parts of a sweep work with. */
export interface SweepContext {
  redis: RedisClient;
  limits: StoreLimits;
  trimmer: Trimmer;
  times: BodyTimes;
  pace: Pace;
  count(swept: Partial<Swept>): void;
}
