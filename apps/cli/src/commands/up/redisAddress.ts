import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { unixUrl } from '@ruyi/redis';
import { freeLoopbackPort } from './ports.ts';

/** Where the installation's own redis-server listens. */
export type RedisAddress = { socket: string } | { port: number; password: string };

/** In bytes; the kernel keeps 108 (Linux) or 104 of them, the last one a zero. */
const LONGEST_SOCKET_PATH = process.platform === 'linux' ? 107 : 103;

/**
 * A unix socket in DATA_DIR/run, which nobody else can enter. If its path is too long for one, a loopback port, which
 * everybody on the machine can reach: with a password that is new with every start.
 */
export async function chooseAddress(runFolder: string): Promise<RedisAddress> {
  const socket = join(runFolder, 'redis.sock');
  if (Buffer.byteLength(socket) <= LONGEST_SOCKET_PATH) return { socket };
  return { port: await freeLoopbackPort(), password: randomBytes(32).toString('hex') };
}

/** As REDIS_URL. */
export const urlOf = (address: RedisAddress): string =>
  'socket' in address ? unixUrl(address.socket) : `redis://:${address.password}@127.0.0.1:${address.port}`;
