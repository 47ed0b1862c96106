import { createHash } from 'node:crypto';

const DIGITS = 24;

/**
 * The key under which an engine knows a uid, channel or topic: 24 hex digits of a SHA-256. Engines fold case and trim,
 * so the name itself would let `AbC` see what belongs to `abc`.
 */
export function accessKey(kind: 'uid' | 'channel' | 'channel_id' | 'topic', value: string): string {
  return createHash('sha256').update(`${kind}:${value}`).digest('hex').slice(0, DIGITS);
}
