import { createServer, type IncomingMessage, type Server } from 'node:http';
import { afterAll, beforeAll, beforeEach } from 'vitest';

/** A server whose requests are read as a test wants. */
export interface ReadingServer {
  readonly port: number;
  /** how each request of the test was read: what it held, or the error's code or message */
  readonly outcomes: unknown[];
}

/** One server for the file, without outcomes at the start of each test. */
export function readingServer(read: (request: IncomingMessage) => Promise<unknown>): ReadingServer {
  const outcomes: unknown[] = [];
  let server: Server;
  beforeAll(async () => {
    server = createServer((request, response) => {
      read(request)
        .then(
          (held) => outcomes.push(held),
          (error: Error) => outcomes.push('code' in error ? error.code : error.message),
        )
        .finally(() => response.end());
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  });
  beforeEach(() => {
    outcomes.length = 0;
  });
  afterAll(() => {
    server.closeAllConnections();
    server.close();
  });
  return {
    outcomes,
    get port() {
      const address = server.address();
      return typeof address === 'object' && address ? address.port : 0;
    },
  };
}
