import { type RedisAddress, shownAddress } from '@ruyi/config';
import { RedisRefusal } from './refusal.ts';

/** Redis answers but cannot serve now; the message completes "waiting for Redis at …: ". */
export class NotServing extends Error {
  override readonly name = 'NotServing';
}

/** Answers of Redis that no repetition heals, each with what to do. */
const REPLIES: readonly [RegExp, string][] = [
  [/^WRONGPASS|invalid password/, 'Redis does not know this user or password; correct them'],
  [/^NOAUTH/, 'Redis asks for a password; give it as redis://user:password@…'],
  [/^NOPERM.*'info|unknown command '?INFO/i, 'Redis refuses INFO, which BullMQ needs; allow it (docs/redis.md)'],
  [/^NOPERM/, 'the user of Redis lacks a permission; docs/redis.md lists all'],
  [/DB index is out of range/, 'this Redis has no database of that number; choose another one'],
  [/^DENIED/, 'Redis is in protected mode and serves its own machine only; give it a password'],
];

/** Codes of node:tls, by the setting that they are about. */
const TLS: readonly [RegExp, string][] = [
  [
    /SELF_SIGNED|UNABLE_TO_(GET_ISSUER|VERIFY)|CERT_UNTRUSTED/,
    'its certificate is signed by somebody unknown; name the CA in REDIS_CA_FILE',
  ],
  [/ALTNAME|HOSTNAME/, 'its certificate is for another host; connect to the name that is in it'],
  [
    /ALERT/,
    'Redis refuses the certificate of Ruyi, or misses one; set REDIS_CERT_FILE and REDIS_KEY_FILE to one that it knows',
  ],
  [/CERT|^ERR_(TLS|SSL|OSSL)|EPROTO/, 'the TLS connection fails; check REDIS_CA_FILE, REDIS_CERT_FILE, REDIS_KEY_FILE'],
];

/**
 * The refusal that an error stands for, with its line.
 * @returns undefined if it may heal by itself
 */
export function refusalOf(error: unknown, address: RedisAddress): RedisRefusal | undefined {
  if (error instanceof RedisRefusal) return error;
  if (!(error instanceof Error)) return undefined;
  const isReply = error.name === 'ReplyError';
  const code = 'code' in error && typeof error.code === 'string' ? error.code : '';
  const subject = isReply ? error.message : code;
  const [, advice] = (isReply ? REPLIES : TLS).find(([pattern]) => pattern.test(subject)) ?? [];
  return advice === undefined ? undefined : refuse(address, `${advice} (${shortReason(error)})`);
}

export const refuse = (address: RedisAddress, text: string): RedisRefusal =>
  new RedisRefusal(`REDIS_URL=${shownAddress(address)}: ${text}`);

/** One line about an error: its code if it has one, else the beginning of its message. */
export function shortReason(error: unknown): string {
  if (!(error instanceof Error)) return 'no reason given';
  if ('code' in error && typeof error.code === 'string') return error.code;
  const [line = ''] = error.message.split(/\r?\n/);
  return line.length > 200 ? `${line.slice(0, 200)}…` : line;
}
