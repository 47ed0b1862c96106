import { join } from 'node:path';

/** A unix socket, or a loopback port that everybody on the machine can reach; '' means no password. */
export type RedisAddress = { socket: string } | { port: number; password: string };

export interface RedisSettings {
  address: RedisAddress;
  /** the folder of its data and its log */
  dir: string;
  /** bytes, or in the form of redis.conf: '64mb'; 0 means no limit */
  maxmemory: number | string;
  /** when what it wrote reaches the disk: `everysec`, or `always` before it answers */
  appendfsync?: 'everysec' | 'always';
}

/**
 * The text of a redis.conf. redis-server reads it from stdin: its arguments can be read by everybody on the machine.
 */
export function redisConfig({ address, dir, maxmemory, appendfsync = 'everysec' }: RedisSettings): string {
  const listening: [string, string][] =
    'socket' in address
      ? [
          ['port', '0'],
          ['unixsocket', address.socket],
          ['unixsocketperm', '600'],
        ]
      : [
          ['port', String(address.port)],
          ['bind', '127.0.0.1'],
          ['requirepass', address.password],
        ];
  const settings: [string, string][] = [
    ...listening,
    ['dir', dir],
    ['logfile', join(dir, 'redis.log')],
    ['appendonly', 'yes'],
    ['appendfsync', appendfsync],
    ['save', ''],
    ['maxmemory', String(maxmemory)],
    ['maxmemory-policy', 'noeviction'],
    // A log of up to 512 references takes a sixth of the memory (docs/performance.md).
    ['zset-max-listpack-entries', '512'],
  ];
  return settings.map(([name, value]) => `${name} ${quoted(value)}\n`).join('');
}

/** Quotes for redis.conf: every byte that could have a meaning is written as `\x` and its number. */
const quoted = (value: string): string =>
  `"${Array.from(Buffer.from(value), (byte) =>
    /[\w\-./ ]/.test(String.fromCharCode(byte))
      ? String.fromCharCode(byte)
      : `\\x${byte.toString(16).padStart(2, '0')}`,
  ).join('')}"`;
