import { createConnection } from 'node:net';
import { type ConnectionOptions, connect as connectTls } from 'node:tls';
import type { RedisAddress } from '@ruyi/config';
import { type RedisSettings, tlsOptions } from './connectionOptions.ts';
import { refusalOf, refuse } from './reasons.ts';
import type { RedisRefusal } from './refusal.ts';

const PATIENCE_MS = 2000;
/** Redis says that it misses a certificate only after the handshake, and many clients have sent something by then. */
const ALERT_MS = 2000;

/**
 * Why a connection that was taken came to nothing: Redis speaks TLS and the address does not, or the other way round, or
 * Redis misses a certificate. None of these has an error that says so reliably.
 * @returns undefined if it is none of them
 */
export async function diagnose(
  error: unknown,
  address: RedisAddress,
  settings: RedisSettings,
): Promise<RedisRefusal | undefined> {
  if (address.kind !== 'tcp' || !isUnclear(error)) return undefined;
  const { host, port, tls } = address;
  if (!tls) {
    if ((await tlsOutcome({ host, port, rejectUnauthorized: false })) === 'no TLS') return undefined;
    return refuse(address, 'Redis speaks TLS on this port; use rediss://');
  }
  if (await speaksPlain(host, port)) return refuse(address, 'Redis speaks no TLS on this port; use redis://');
  const outcome = await tlsOutcome({ host, port, ...tlsOptions(settings) });
  return outcome instanceof Error ? refusalOf(outcome, address) : undefined;
}

/** Whether the other side was there, and the connection ended without a reason or an answer. */
function isUnclear(error: unknown): boolean {
  if (!(error instanceof Error) || error.name === 'ReplyError') return false;
  const code = 'code' in error ? error.code : undefined;
  return code === undefined || ['ECONNRESET', 'EPIPE', 'ETIMEDOUT', 'EPROTO'].includes(String(code));
}

function speaksPlain(host: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = createConnection({ host, port }, () => socket.write('PING\r\n'));
    const end = (answer: boolean) => {
      socket.destroy();
      resolve(answer);
    };
    socket.setTimeout(PATIENCE_MS, () => end(false));
    socket.once('data', (data) => end(/^[+-]/.test(data.toString('latin1'))));
    socket.once('error', () => end(false));
    socket.once('close', () => end(false));
  });
}

/** How a TLS connection ends on which nothing is sent: it stands, it fails with an error, or nobody speaks TLS there. */
function tlsOutcome(options: ConnectionOptions & { host: string; port: number }): Promise<'stands' | 'no TLS' | Error> {
  return new Promise((resolve) => {
    let spoke = false;
    let timer: NodeJS.Timeout | undefined;
    const socket = connectTls(options, () => {
      spoke = true;
      socket.setTimeout(0);
      // If this process stood still, an alert that has arrived is read before the end.
      timer = setTimeout(() => setImmediate(() => end('stands')), ALERT_MS);
    });
    const end = (outcome: 'stands' | 'no TLS' | Error) => {
      clearTimeout(timer);
      socket.destroy();
      resolve(outcome);
    };
    socket.setTimeout(PATIENCE_MS, () => end('no TLS'));
    // An alert is an answer in TLS, too.
    socket.once('error', (error) => {
      const isAlert = 'code' in error && String(error.code).includes('ALERT');
      end(spoke || isAlert ? error : 'no TLS');
    });
    socket.once('close', () => end(spoke ? 'stands' : 'no TLS'));
  });
}
