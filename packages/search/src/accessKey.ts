import { createHash } from 'node:crypto';

const DIGITS = 24;

/**
 * The key under which an engine knows a uid, channel or topic: the first 24 hex digits of its SHA-256. Engines fold case
 * and trim white space, so with the plain name `AbC` would see what belongs to `abc`.
 */
export function accessKey(kind: 'uid' | 'channel' | 'channel_id' | 'topic', value: string): string {
  return createHash('sha256').update(`${kind}:${value}`).digest('hex').slice(0, DIGITS);
}
