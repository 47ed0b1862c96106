import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { busyPort } from './ports.ts';
import { NOTHING_ELSE, probesOnly } from './probes.ts';
import type { Readiness } from './readiness.ts';
import type { Closable } from './runApp.ts';
import { StartError } from './startError.ts';

/** Probes are short, come from few places, and need no token. */
const MOST_CONNECTIONS = 100;
const HEADERS_TIMEOUT_MS = 5000;
const MOST_HEADER_BYTES = 8192;

interface HealthSettings {
  healthHost: string;
  /** 0 takes a free port; undefined: no listener */
  healthPort?: number | undefined;
}

interface Health {
  /** to be closed last: the process is alive until then */
  opened: Closable[];
  /** where it listens, for the line that says that the process is ready */
  details: { health?: string };
}

/**
 * Serves /livez and /readyz, and nothing else, for a process that has no port of its own.
 * @throws StartError if HEALTH_HOST and HEALTH_PORT cannot be used
 */
export async function listenForProbes(
  { healthHost, healthPort }: HealthSettings,
  readiness: Readiness,
): Promise<Health> {
  if (healthPort === undefined) return { opened: [], details: {} };
  const server = createServer(
    { headersTimeout: HEADERS_TIMEOUT_MS, requestTimeout: HEADERS_TIMEOUT_MS, maxHeaderSize: MOST_HEADER_BYTES },
    probesOnly(readiness, NOTHING_ELSE),
  );
  server.maxConnections = MOST_CONNECTIONS;
  const { address, family, port } = await new Promise<AddressInfo>((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      const where = { host: healthHost, port: healthPort, variable: 'HEALTH_PORT' };
      const reason = `HEALTH_HOST=${healthHost}, HEALTH_PORT=${healthPort}: cannot listen (${error.code})`;
      reject(new StartError(error.code === 'EADDRINUSE' ? busyPort(where) : reason));
    });
    server.listen(healthPort, healthHost.replace(/^\[(.*)\]$/, '$1'), () => resolve(server.address() as AddressInfo));
  });
  const close = () =>
    new Promise<void>((closed) => {
      server.close(() => closed());
      server.closeAllConnections();
    });
  return {
    opened: [{ name: 'health', close }],
    details: { health: `http://${family === 'IPv6' ? `[${address}]` : address}:${port}` },
  };
}
