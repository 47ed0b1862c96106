import { createServer } from 'node:net';
import { StartError } from './startError.ts';

/** An address that a child will listen on, and the variable that sets its port. */
export interface Listening {
  host: string;
  port: number;
  variable: string;
}

export const busyPort = ({ host, port, variable }: Listening): string =>
  `${variable}=${port}: something else listens on ${host}:${port}; end it or set ${variable} to another port`;

/** @throws StartError naming the first port that is taken, or the address that this machine does not have */
export async function checkPorts(addresses: Listening[]): Promise<void> {
  for (const address of addresses) {
    if (address.port === 0) continue;
    const code = await tryListen(address.host, address.port);
    if (code === 'EADDRINUSE') throw new StartError(busyPort(address));
    if (code !== undefined) {
      const hostVariable = address.variable.replace('PORT', 'HOST');
      throw new StartError(
        `${hostVariable}=${address.host}, ${address.variable}=${address.port}: cannot listen (${code})`,
      );
    }
  }
  const [first, second] = addresses;
  if (first && second && first.port !== 0 && first.port === second.port) {
    throw new StartError(
      `${second.variable}=${second.port}: ${first.variable} is the same; set one of them to another port`,
    );
  }
}

/** Below the ports that kernels use for outgoing connections (Linux from 32768, macOS and Windows from 49152). */
const FIRST = 20_000;
const PORTS = 10_000;

/**
 * A loopback port on which nothing listens now. It is not one that the kernel picks for outgoing connections: a client
 * that keeps trying a stopped server could be given that port, connect to itself, and keep the server from coming back.
 * @param wanted taken if it is free
 */
export async function freePort(wanted?: number): Promise<number> {
  if (wanted !== undefined && (await tryListen('127.0.0.1', wanted)) === undefined) return wanted;
  for (;;) {
    const port = FIRST + Math.floor(Math.random() * PORTS);
    if ((await tryListen('127.0.0.1', port)) === undefined) return port;
  }
}

/** @returns undefined if it can listen, else the code of the error */
function tryListen(host: string, port: number): Promise<string | undefined> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
    server.listen(port, host.replace(/^\[(.*)\]$/, '$1'), () => server.close(() => resolve(undefined)));
  });
}
