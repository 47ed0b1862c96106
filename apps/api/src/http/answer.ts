import type { ServerResponse } from 'node:http';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { ApiError, errorBody, UnavailableError } from '@ruyi/contracts';
import { isUnavailable } from '@ruyi/redis';
import { SearchUnavailableError } from '@ruyi/search';
import { corruptOf } from '@ruyi/store';
import type { Logger } from '@ruyi/telemetry';
import { OtherIndexError } from '../search/indexSight.ts';

const REQUEST_ID = Symbol('x-request-id');

/**
 * Names an answer. Every answer of this file begins with the name; a header that is set before the others would make all of
 * them dearer.
 */
export const nameAnswer = (response: ServerResponse, requestId: string): void => {
  Reflect.set(response, REQUEST_ID, requestId);
};

const nameOf = (response: ServerResponse): string => String(Reflect.get(response, REQUEST_ID) ?? '-');

/**
 * Sends an answer. An object is sent as JSON; bytes must be JSON already; a string is sent as plain text, unless the headers name
 * another type. Express' `json`
 * is not used, because it spends time on content types and etags that no client needs.
 */
export function answer(
  response: ServerResponse,
  status: number,
  body: object | string | Uint8Array,
  headers?: Record<string, string>,
): void {
  if (response.headersSent || response.destroyed) return;
  const isText = typeof body === 'string';
  const content = isText || body instanceof Uint8Array ? body : JSON.stringify(body);
  response.writeHead(status, {
    'x-request-id': nameOf(response),
    'Content-Type': isText ? 'text/plain; version=0.0.4; charset=utf-8' : 'application/json; charset=utf-8',
    ...headers,
    'Content-Length': Buffer.byteLength(content),
  });
  response.end(content);
}

/** Sends lines as NDJSON, as fast as the client reads them; a client that reads nothing for `unreadMs` is cut off. */
export async function answerLines(
  response: ServerResponse,
  lines: AsyncIterable<string>,
  unreadMs: number,
): Promise<void> {
  const source = Readable.from(lines, { highWaterMark: 64 });
  const { socket } = response.req;
  response.writeHead(200, { 'x-request-id': nameOf(response), 'Content-Type': 'application/x-ndjson; charset=utf-8' });
  socket.setTimeout(unreadMs);
  // What fails after the first byte can only be told by an answer that ends early.
  await pipeline(source, response).catch(() => response.destroy());
}

/** The one place where something thrown becomes an answer (docs/api.md §1). */
export function answerError(response: ServerResponse, error: unknown, log: Logger): void {
  const known = toApiError(error);
  const requestId = nameOf(response);
  if (known) {
    if (known.status >= 500) log.warn({ requestId, code: known.code, err: error }, 'request refused');
    answer(response, known.status, known.toBody(), known.headers);
    return;
  }
  log.error({ requestId, err: error }, 'request failed');
  answer(response, 500, errorBody(500, 'internal', 'internal error; the log has more under this x-request-id'));
}

function toApiError(error: unknown): ApiError | undefined {
  if (error instanceof ApiError) return error;
  if (error instanceof OtherIndexError) return new UnavailableError(error.message, 2);
  if (error instanceof SearchUnavailableError)
    return new UnavailableError('the search engine does not answer, try again', 2);
  if (isUnavailable(error)) return new UnavailableError('Redis does not answer, try again');
  return corruptOf(error);
}
