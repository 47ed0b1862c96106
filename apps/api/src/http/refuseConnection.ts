import { type ServerResponse, STATUS_CODES } from 'node:http';
import type { Socket } from 'node:net';
import { ApiError, type ErrorCode } from '@ruyi/contracts';

/** How long a client may go on sending: if it were cut off at once it would see a reset connection, not the answer. */
const LINGER_MS = 5000;

/** The answer of docs/api.md §1 to a request that Node's parser cannot read, or that came too slowly. */
export function refusalOf({ code }: Pick<NodeJS.ErrnoException, 'code'>): ApiError {
  const refusal = (status: number, name: ErrorCode, msg: string) => new ApiError(status, name, msg);
  if (code === 'ERR_HTTP_REQUEST_TIMEOUT') return refusal(408, 'timeout', 'the request did not arrive in time');
  if (code === 'HPE_HEADER_OVERFLOW') {
    return refusal(431, 'headers_too_large', 'the headers are larger than 16 KiB');
  }
  return refusal(400, 'invalid_request', 'malformed HTTP request');
}

const refused = new WeakSet<Socket>();

/**
 * Answers on the socket itself, for what never becomes a request in Node, and ends the connection.
 * @param before the answer to the previous request on this connection, which is sent first
 */
export function refuseConnection(socket: Socket, refusal: ApiError, requestId: string, before?: ServerResponse): void {
  // The parser reports each further piece that it cannot read; the first report was answered.
  if (refused.has(socket)) return;
  refused.add(socket);
  if (before?.req.complete && !before.writableFinished) before.once('finish', () => refuse(socket, refusal, requestId));
  else refuse(socket, refusal, requestId);
}

function refuse(socket: Socket, refusal: ApiError, requestId: string): void {
  // Bytes of another answer are on their way; this one must not be mixed with them.
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
