import { createServer } from 'node:net';

/** Below the ports that kernels give to outgoing connections (Linux from 32768, macOS and Windows from 49152). */
const FIRST = 20_000;
const PORTS = 10_000;

/**
 * A loopback port on which nothing listens now. Not one that the kernel picks: a client that keeps trying such a port
 * while its server is down can be given the same port as its own and is then connected to itself.
 */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = FIRST + Math.floor(Math.random() * PORTS);
    if (await canListen(port)) return port;
  }
}

function canListen(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
  });
}
