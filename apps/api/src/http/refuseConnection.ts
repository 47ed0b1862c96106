import { type ServerResponse, STATUS_CODES } from 'node:http';
import type { Socket } from 'node:net';
import { ApiError, type ErrorCode } from '@ruyi/contracts';

/** How long a client that is still sending may go on, so that it sees the answer instead of a reset connection. */
const LINGER_MS = 5000;

/** What the parser cannot read, and what came too slowly, as the answer of docs/api.md §1. */
export function refusalOf({ code }: NodeJS.ErrnoException): ApiError {
  const refusal = (status: number, name: ErrorCode, msg: string) => new ApiError(status, name, msg);
  if (code === 'ERR_HTTP_REQUEST_TIMEOUT') return refusal(408, 'timeout', 'the request did not arrive in time');
  if (code === 'HPE_HEADER_OVERFLOW') {
    return refusal(431, 'headers_too_large', 'the headers are larger than 16 KiB');
  }
  return refusal(400, 'invalid_request', 'malformed HTTP request');
}

const refused = new WeakSet<Socket>();

/**
 * Answers on the connection itself, where there is no request that Node would hand on, and ends it.
 * @param before the answer to the request before it on this connection, which comes first
 */
export function refuseConnection(socket: Socket, refusal: ApiError, requestId: string, before?: ServerResponse): void {
  // Parsers tell of every further piece of what they cannot read.
  if (refused.has(socket)) return;
  refused.add(socket);
  if (before?.req.complete && !before.writableFinished) before.once('finish', () => refuse(socket, refusal, requestId));
  else refuse(socket, refusal, requestId);
}

function refuse(socket: Socket, refusal: ApiError, requestId: string): void {
  // An answer that is on its way must not be mixed with this one.
  if (!socket.writable || socket.writableLength > 0) return void socket.destroy();
  const { status, headers } = refusal;
  const body = JSON.stringify(refusal.toBody());
  const lines = [
    `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}`,
    ...Object.entries(headers).map(([name, value]) => `${name}: ${value}`),
    `x-request-id: ${requestId}`,
    'Content-Type: application/json; charset=utf-8',
    `Content-Length: ${Buffer.byteLength(body)}`,
    'Connection: close',
  ];
  socket.end(`${lines.join('\r\n')}\r\n\r\n${body}`);
  const timer = setTimeout(() => socket.destroy(), LINGER_MS);
  socket.once('close', () => clearTimeout(timer));
}
