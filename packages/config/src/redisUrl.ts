/** Linux keeps the path of a unix socket in 108 bytes, and the last one is a zero. */
const LONGEST_SOCKET_PATH = 107;

const UNIX = /^redis\+unix:\/\/(?:[^/@?#:]*(?::[^/@?#]*)?@)?(\/[^?#]+)(?:#(\d{1,9}))?$/;

const FORMS = 'must be redis://…, rediss://… or redis+unix://[user:password@]/path#db';

/**
 * What is wrong with a REDIS_URL (docs/configuration.md); undefined if it is valid. The parts of a `redis+unix` address
 * are percent-encoded. It is not a standard URL, because those have no credentials without a host.
 */
export function problemOfRedisUrl(value: string): string | undefined {
  if (value.startsWith('redis+unix://')) return problemOfUnixUrl(value);
  if (/^rediss?\+cluster:\/\//.test(value)) return undefined;
  // URL's own protocol is not enough: `redis:6379`, without its `redis://`, is a URL too.
  const parts = value.split(',');
  if (!parts.every((part) => /^rediss?:\/\//.test(part) && URL.canParse(part))) return FORMS;
  // The Redis client would take them as options, which could change how it treats unanswered commands.
  if (value.includes('?')) return 'must be an address without query parameters (?…)';
  return undefined;
}

function problemOfUnixUrl(value: string): string | undefined {
  if (value.includes('?')) return 'must be an address without query parameters (?…); a ? in the path is %3F';
  const match = UNIX.exec(value);
  const path = match === null ? undefined : decoded(match[1] ?? '');
  // The credentials must be decodable as well.
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
