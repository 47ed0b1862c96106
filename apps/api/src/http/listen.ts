import type { Server } from 'node:http';

const CLOSE_CONNECTIONS_MS = 5000;
const LOOK_FOR_IDLE_MS = 50;

/** Resolves with the address, as a URL, when the server listens. @param port 0 takes a free one */
export async function listen(server: Server, host: string, port: number): Promise<string> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen({ host, port, backlog: 1024 }, () => {
      server.off('error', reject);
      resolve();
    });
  });
  const address = server.address();
  const taken = typeof address === 'object' && address ? address.port : port;
  return `http://${host.includes(':') ? `[${host}]` : host}:${taken}`;
}

/** Answers the requests that have begun, then closes. Connections that are still busy after 5 s are cut. */
export async function closeServer(server: Server): Promise<void> {
  const closed = new Promise((resolve) => server.close(resolve));
  // A kept-alive connection becomes idle once its answer is out. Node has no event for that.
  const idle = setInterval(() => server.closeIdleConnections(), LOOK_FOR_IDLE_MS);
  const busy = setTimeout(() => server.closeAllConnections(), CLOSE_CONNECTIONS_MS);
  await closed;
  clearInterval(idle);
  clearTimeout(busy);
}
