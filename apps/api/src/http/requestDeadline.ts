import type { IncomingMessage, Server } from 'node:http';

const LOOK_EVERY_MS = 1000;

const unlimited = new WeakSet<IncomingMessage>();

/** This request may take as long as it likes; its route watches that it makes progress. */
export const withoutDeadline = (request: IncomingMessage): void => void unlimited.add(request);

/**
 * Reports requests that have not arrived completely within `requestMs` as Node's own `requestTimeout` would. That one knows
 * no exception, and an upload of a broadcast has no total deadline (docs/api.md §4).
 * @param onLate told of each, once
 */
export function watchDeadlines(server: Server, requestMs: number, onLate: (request: IncomingMessage) => void): void {
  const began = new Map<IncomingMessage, number>();
  // Most requests arrive in one piece, so they are complete as soon as this turn of the event loop is over.
  let arriving: IncomingMessage[] = [];
  const watchTheIncomplete = () => {
    const at = performance.now();
    const requests = arriving;
    arriving = [];
    for (const request of requests) {
      if (request.complete || request.destroyed) continue;
      began.set(request, at);
      request.once('close', () => began.delete(request));
    }
  };
  server.prependListener('request', (request: IncomingMessage) => {
    const { 'content-length': length, 'transfer-encoding': encoding } = request.headers;
    if (length === undefined && encoding === undefined) return;
    if (arriving.length === 0) setImmediate(watchTheIncomplete);
    arriving.push(request);
  });
  const look = () => {
    const now = performance.now();
    for (const [request, at] of began) {
      if (request.complete || request.destroyed || unlimited.has(request)) began.delete(request);
      else if (now - at >= requestMs) {
        began.delete(request);
        onLate(request);
      }
    }
  };
  const timer = setInterval(look, LOOK_EVERY_MS).unref();
  server.once('close', () => clearInterval(timer));
}
