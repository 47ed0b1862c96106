import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { freePort, type RedisAddress } from '@ruyi/process';
import { unixUrl } from '@ruyi/redis';

/** In bytes; the kernel keeps 108 (Linux) or 104 of them, and the last one is a zero. */
const LONGEST_SOCKET_PATH = process.platform === 'linux' ? 107 : 103;

/**
 * A unix socket in DATA_DIR/run, which nobody else can enter. If its path is too long for a socket, a loopback port.
 * Everybody on the machine can reach the port, so it gets a password, a new one at every start.
 */
export async function chooseAddress(runFolder: string): Promise<RedisAddress> {
  const socket = join(runFolder, 'redis.sock');
  if (Buffer.byteLength(socket) <= LONGEST_SOCKET_PATH) return { socket };
  return { port: await freePort(), password: randomBytes(32).toString('hex') };
}

/** The address in the form of REDIS_URL. */
export const urlOf = (address: RedisAddress): string =>
  'socket' in address ? unixUrl(address.socket) : `redis://:${address.password}@127.0.0.1:${address.port}`;
