import { createSocket } from 'node:dgram';
import { freePort as freePortNow } from '@ruyi/process';

/** Below those that kernels use for outgoing connections, and beside those that Ruyi itself takes. */
const FIRST = 10_000;
const PORTS = 10_000;

/**
 * A loopback port on which nothing listens, and which no other test gets before this process ends: between the choice of a
 * port and the start of who listens there, files that run beside this one choose theirs. What holds it is a UDP socket with the
 * same number, which nobody uses and the system closes however the process ends.
 */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = FIRST + Math.floor(Math.random() * PORTS);
    if ((await hold(port)) && (await freePortNow(port)) === port) return port;
  }
}

/** @returns false if another process holds it */
function hold(port: number): Promise<boolean> {
  const socket = createSocket('udp4').unref();
  return new Promise((resolve) => {
    socket.once('error', () => {
      socket.close();
      resolve(false);
    });
    socket.bind({ port, address: '127.0.0.1', exclusive: true }, () => resolve(true));
  });
}
