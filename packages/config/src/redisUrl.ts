/** Linux keeps the path of a unix socket in 108 bytes, the last one a zero. */
const LONGEST_SOCKET_PATH = 107;

const UNIX = /^redis\+unix:\/\/(?:[^/@?#:]*(?::[^/@?#]*)?@)?(\/[^?#]+)(?:#(\d{1,9}))?$/;

const FORMS = 'must be redis://…, rediss://… or redis+unix://[user:password@]/path#db';

/**
 * What is wrong with a REDIS_URL (docs/configuration.md), undefined if nothing is. `redis+unix` has its parts
 * percent-encoded; it is no URL by the standard, which knows no credentials without a host.
 */
export function problemOfRedisUrl(value: string): string | undefined {
  if (value.startsWith('redis+unix://')) return problemOfUnixUrl(value);
  // Not by URL's own protocol: `redis:6379`, a forgotten `redis://`, is a URL too.
  const parts = value.split(',');
  if (!parts.every((part) => /^rediss?:\/\//.test(part) && URL.canParse(part))) return FORMS;
  // They would reach the Redis client as options of its own and change how commands in doubt are treated.
  if (value.includes('?')) return 'must be an address without query parameters (?…)';
  return undefined;
}

function problemOfUnixUrl(value: string): string | undefined {
  if (value.includes('?')) return 'must be an address without query parameters (?…); a ? in the path is %3F';
  const match = UNIX.exec(value);
  const path = match === null ? undefined : decoded(match[1] ?? '');
  // The credentials are decoded as well.
  if (path === undefined || decoded(value) === undefined) return FORMS;
  if (/\p{Cc}/u.test(path)) return FORMS;
  if (Buffer.byteLength(path) > LONGEST_SOCKET_PATH) {
    return `must be the path of a unix socket of at most ${LONGEST_SOCKET_PATH} bytes`;
  }
  return undefined;
}

function decoded(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}
