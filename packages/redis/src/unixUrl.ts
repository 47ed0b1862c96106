/** Where a Redis listens on a unix socket, in ioredis' terms. */
export interface UnixAddress {
  path: string;
  username?: string;
  password?: string;
  db?: number;
}

const FORM = /^redis\+unix:\/\/(?:([^/@?#:]*)(?::([^/@?#]*))?@)?(\/[^?#]+)(?:#(\d+))?$/;

/**
 * Reads `redis+unix://[user:password@]/path#db`, parts percent-encoded (docs/configuration.md). ioredis does not know
 * this form, and to WHATWG's URL credentials without a host are an error.
 * @returns undefined if it is an address of another kind
 */
export function parseUnixUrl(url: string): UnixAddress | undefined {
  const match = FORM.exec(url);
  if (!match) return undefined;
  const [, username = '', password = '', path = '', db] = match;
  return {
    path: decodeURIComponent(path),
    ...(username === '' ? {} : { username: decodeURIComponent(username) }),
    ...(password === '' ? {} : { password: decodeURIComponent(password) }),
    ...(db === undefined ? {} : { db: Number(db) }),
  };
}

/** The address of a Redis that listens on the unix socket `path` (absolute) and asks for no password. */
export const unixUrl = (path: string): string => `redis+unix://${path.split('/').map(encodeURIComponent).join('/')}`;
