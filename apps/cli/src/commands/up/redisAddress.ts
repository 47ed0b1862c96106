import { randomBytes } from 'node:crypto';
import { existsSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { freePort, type RedisAddress } from '@ruyi/process';
import { unixUrl } from '@ruyi/redis';

/** In bytes; the kernel keeps 108 (Linux) or 104 of them, and the last one is a zero. */
const LONGEST_SOCKET_PATH = process.platform === 'linux' ? 107 : 103;

/** What other users may do with a file. */
const OTHERS = 0o077;

/**
 * A unix socket in DATA_DIR/run, which nobody else can enter. If its path is too long for a socket, a loopback port.
 * Everybody on the machine can reach the port, so it gets a password.
 */
export async function chooseAddress(runFolder: string): Promise<RedisAddress> {
  const socket = join(runFolder, 'redis.sock');
  if (Buffer.byteLength(socket) <= LONGEST_SOCKET_PATH) return { socket };
  return { port: await freePort(), password: keptPassword(join(runFolder, 'redis-password')) };
}

/** The random password of an earlier start, in a file for its owner alone; a new one if there is none. */
function keptPassword(file: string): string {
  const kept = existsSync(file) ? readFileSync(file, 'utf8') : '';
  // An empty one, of a start that was cut off, would let everybody in.
  if (/^[0-9a-f]{64}$/.test(kept) && (statSync(file).mode & OTHERS) === 0) return kept;
  const password = randomBytes(32).toString('hex');
  rmSync(file, { force: true });
  writeFileSync(file, password, { mode: 0o600 });
  return password;
}

/** The address in the form of REDIS_URL. */
export const urlOf = (address: RedisAddress): string =>
  'socket' in address ? unixUrl(address.socket) : `redis://:${address.password}@127.0.0.1:${address.port}`;
