import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Config } from '@ruyi/config';
import type { Readiness } from '@ruyi/process';

/** BOARD_HOST and BOARD_PORT cannot be used; the message is the line that the operator sees. */
export class AddressError extends Error {
  override readonly name = 'AddressError';
}

export interface Listening {
  name: string;
  /** `http://127.0.0.1:5002` */
  address: string;
  close(): Promise<void>;
}

const HEADERS_TIMEOUT_MS = 10_000;
const MOST_CONNECTIONS = 1000;

/** @throws AddressError if the port is taken or the address is not this machine's */
export function listen(
  app: RequestListener,
  { boardHost, boardPort }: Config,
  readiness: Readiness,
): Promise<Listening> {
  const server = createServer(
    // The time that a whole request may take is in requestDeadline.ts.
    { headersTimeout: HEADERS_TIMEOUT_MS, requestTimeout: 0, maxHeaderSize: 16_384 },
    app,
  );
  server.prependListener('request', (_request, response) => {
    // The next request of this client should go to a process that stays.
    if (readiness.state === 'draining') response.setHeader('Connection', 'close');
  });
  server.maxConnections = MOST_CONNECTIONS;
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      const reason = error.code === 'EADDRINUSE' ? 'another program listens there (EADDRINUSE)' : error.message;
      reject(new AddressError(`BOARD_HOST=${boardHost}, BOARD_PORT=${boardPort}: ${reason}`));
    });
    server.listen(boardPort, boardHost.replace(/^\[(.*)\]$/, '$1'), () => {
      const { address, family, port } = server.address() as AddressInfo;
      resolve({
        name: 'http',
        address: `http://${family === 'IPv6' ? `[${address}]` : address}:${port}`,
        close: () =>
          new Promise((closed) => {
            server.close(() => closed());
            // Pages keep connections open.
            server.closeAllConnections();
          }),
      });
    });
  });
}
