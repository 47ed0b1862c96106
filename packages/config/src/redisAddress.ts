/** A place where a server listens on TCP. */
export interface Endpoint {
  host: string;
  port: number;
}

interface Credentials {
  username?: string;
  password?: string;
}

/** Where Redis is and how to log in there: what a REDIS_URL says (docs/redis.md). */
export type RedisAddress = Credentials &
  (
    | { kind: 'tcp'; tls: boolean; host: string; port: number; db: number }
    | { kind: 'unix'; path: string; db: number }
    | { kind: 'sentinel'; sentinels: Endpoint[]; name: string; db: number }
    | { kind: 'cluster'; tls: boolean; nodes: Endpoint[] }
  );

/** A REDIS_URL that names no address; the message completes "REDIS_URL=… : " and never shows credentials. */
export class RedisAddressError extends Error {
  override readonly name = 'RedisAddressError';
}

/** Linux keeps the path of a unix socket in 108 bytes, and the last one is a zero. */
const LONGEST_SOCKET_PATH = 107;
const REDIS_PORT = 6379;
const SENTINEL_PORT = 26_379;

const FORMS =
  'must be redis://, rediss://, redis+unix://, redis+sentinel://, redis+cluster:// or rediss+cluster:// and an address (docs/redis.md)';

/** Special characters are percent-encoded, as in every URL; an @ in the password need not be. */
const LOGIN = '(?:([^/@?#:,]*)(?::([^/?#,]*))?@)?';
const TCP = new RegExp(`^redis(s?)://${LOGIN}([^/@?#,]+)(?:/(\\d{1,9})?)?$`);
const UNIX = new RegExp(`^redis\\+unix://${LOGIN}(/[^?#]+)(?:#(\\d{1,9}))?$`);
const SENTINEL = new RegExp(`^redis\\+sentinel://${LOGIN}([^/@?#]+)/([^/@?#]+)(?:/(\\d{1,9}))?$`);
const CLUSTER = new RegExp(`^redis(s?)\\+cluster://${LOGIN}([^/@?#]+)/?$`);
const HOST_AND_PORT = /^(\[[0-9a-fA-F:.]+\]|[^\s:[\]]+)(?::(\d{1,5}))?$/;

/**
 * Reads a REDIS_URL. A comma list of `redis://` addresses is a Redis Cluster, with the user and the password of the
 * first.
 * @throws RedisAddressError
 */
export function parseRedisAddress(url: string): RedisAddress {
  // Clients take them as options, which could change how they treat unanswered commands.
  if (url.includes('?')) {
    const hint = url.startsWith('redis+unix:') ? '; a ? in the path is %3F' : '';
    throw new RedisAddressError(`must be an address without query parameters (?…)${hint}`);
  }
  if (/\p{Cc}/u.test(decoded(url))) throw new RedisAddressError(FORMS);
  const address = unix(url) ?? sentinel(url) ?? cluster(url) ?? (url.includes(',') ? list(url) : tcp(url));
  if (address === undefined) throw new RedisAddressError(FORMS);
  return address;
}

/** An address as people may read it: without user and password. */
export function shownAddress(address: RedisAddress): string {
  switch (address.kind) {
    case 'tcp':
      return `redis${address.tls ? 's' : ''}://${shownEndpoint(address)}${address.db === 0 ? '' : `/${address.db}`}`;
    case 'unix':
      return `redis+unix://${address.path}${address.db === 0 ? '' : `#${address.db}`}`;
    case 'sentinel':
      return `redis+sentinel://${address.sentinels.map(shownEndpoint).join(',')}/${address.name}${address.db === 0 ? '' : `/${address.db}`}`;
    case 'cluster':
      return `redis${address.tls ? 's' : ''}+cluster://${address.nodes.map(shownEndpoint).join(',')}`;
  }
}

const shownEndpoint = ({ host, port }: Endpoint): string => `${host.includes(':') ? `[${host}]` : host}:${port}`;

function tcp(url: string): Extract<RedisAddress, { kind: 'tcp' }> | undefined {
  const match = TCP.exec(url);
  if (match === null) return undefined;
  const [, tls, username, password, place = '', db] = match;
  const [{ host, port }] = endpoints(place, REDIS_PORT);
  return { kind: 'tcp', tls: tls === 's', host, port, db: Number(db ?? 0), ...login(username, password) };
}

function unix(url: string): RedisAddress | undefined {
  const match = UNIX.exec(url);
  if (match === null) return undefined;
  const [, username, password, encoded = '', db] = match;
  const path = decoded(encoded);
  if (Buffer.byteLength(path) > LONGEST_SOCKET_PATH) {
    throw new RedisAddressError(`must be the path of a unix socket of at most ${LONGEST_SOCKET_PATH} bytes`);
  }
  return { kind: 'unix', path, db: Number(db ?? 0), ...login(username, password) };
}

function sentinel(url: string): RedisAddress | undefined {
  const match = SENTINEL.exec(url);
  if (match === null) return undefined;
  const [, username, password, places = '', name = '', db] = match;
  const sentinels = endpoints(places, SENTINEL_PORT);
  return { kind: 'sentinel', sentinels, name: decoded(name), db: Number(db ?? 0), ...login(username, password) };
}

function cluster(url: string): RedisAddress | undefined {
  const match = CLUSTER.exec(url);
  if (match === null) return undefined;
  const [, tls, username, password, places = ''] = match;
  return { kind: 'cluster', tls: tls === 's', nodes: endpoints(places, REDIS_PORT), ...login(username, password) };
}

function list(url: string): RedisAddress | undefined {
  const addresses = url.split(',').map(tcp);
  const nodes = addresses.filter((address) => address !== undefined);
  const [first] = nodes;
  if (first === undefined || nodes.length < addresses.length || nodes.some(({ tls }) => tls !== first.tls)) {
    return undefined;
  }
  if (nodes.some(({ db }) => db !== 0)) {
    throw new RedisAddressError('must be addresses without a database: a Redis Cluster has only database 0');
  }
  const places = nodes.map(({ host, port }) => ({ host, port }));
  const { username, password } = first;
  return {
    kind: 'cluster',
    tls: first.tls,
    nodes: places,
    ...(username === undefined ? {} : { username }),
    ...(password === undefined ? {} : { password }),
  };
}

/** @throws RedisAddressError if a part is no host with or without a port */
function endpoints(places: string, fallback: number): [Endpoint, ...Endpoint[]] {
  const read = (place: string): Endpoint => {
    const [, host, port] = HOST_AND_PORT.exec(decoded(place)) ?? [];
    const number = Number(port ?? fallback);
    if (host === undefined || number < 1 || number > 65_535) throw new RedisAddressError(FORMS);
    return { host: host.replace(/^\[(.*)\]$/, '$1'), port: number };
  };
  const [first = '', ...others] = places.split(',');
  return [read(first), ...others.map(read)];
}

function login(username = '', password = ''): Credentials {
  return {
    ...(username === '' ? {} : { username: decoded(username) }),
    ...(password === '' ? {} : { password: decoded(password) }),
  };
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw new RedisAddressError(FORMS);
  }
}
