import { createServer, IncomingMessage, type Server, type ServerOptions, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { MethodNotAllowedError } from '@ruyi/contracts';
import type { Express } from 'express';
import { HEADER_BYTES, HTTP_LIMITS, type HttpLimits } from './limits.ts';
import { refusalOf, refuseConnection } from './refuseConnection.ts';
import { UnreadAnswers } from './unreadAnswers.ts';

export interface ServerSettings {
  limits?: HttpLimits;
  /** names what is refused before there is a request */
  nextRequestId?(): string;
  onDrop?(socket: Socket, reason: string): void;
}

/**
 * A server for an Express app. Express sets the prototypes of every request and response, which makes the objects slow
 * for the rest of their life. Here they are born as classes that carry Express' methods, so setting the prototype
 * changes nothing: three to four times the requests a second of the plain server on one core. Calling Node's
 * constructors for objects with a foreign prototype (Reflect.construct) is slower than leaving it.
 *
 * What Node refuses by itself is answered like everything else: with a body in JSON and an x-request-id
 * (docs/api.md §1).
 */
export function createHttpServer(
  app: Express,
  { limits = HTTP_LIMITS, nextRequestId = () => '-', onDrop = () => {} }: ServerSettings = {},
): Server {
  const unread = new UnreadAnswers(limits, onDrop);
  class AppRequest extends IncomingMessage {}
  class AppResponse<Request extends IncomingMessage> extends ServerResponse<Request> {
    override end(...args: unknown[]): this {
      Reflect.apply(super.end, this, args);
      unread.watch(this);
      return this;
    }
  }
  Reflect.set(app, 'request', withMethods(AppRequest.prototype, app.request));
  Reflect.set(app, 'response', withMethods(AppResponse.prototype, app.response));
  const options: ServerOptions<typeof AppRequest, typeof AppResponse> = {
    IncomingMessage: AppRequest,
    ServerResponse: AppResponse,
    headersTimeout: limits.headersMs,
    requestTimeout: limits.requestMs,
    keepAliveTimeout: limits.keepAliveMs,
    // Bodies that never end are found within a second or so of their deadline.
    connectionsCheckingInterval: 1000,
    maxHeaderSize: HEADER_BYTES,
    // The app refuses a request without a Host in its own words.
    requireHostHeader: false,
    noDelay: true,
  };
  const server: Server<typeof AppRequest, typeof AppResponse> = createServer(options, app);
  // Their size is bounded; a header that is left out because of their number may be the one that matters.
  server.maxHeadersCount = 0;
  const answers = new WeakMap<Socket, ServerResponse>();
  server.prependListener('request', ({ socket }, response: ServerResponse) => {
    answers.set(socket, response);
    // While it closes, a client is told not to send more on this connection.
    if (!server.listening) response.setHeader('Connection', 'close');
  });
  server.on('checkExpectation', app);
  server.on('timeout', (socket) => unread.timedOut(socket));
  server.on('clientError', (error: NodeJS.ErrnoException, socket: Socket) => {
    if (error.code === 'ECONNRESET') socket.destroy();
    else refuseConnection(socket, refusalOf(error), nextRequestId(), answers.get(socket));
  });
  server.on('connect', (_request, socket: Socket) => {
    socket.on('error', () => socket.destroy()).resume();
    refuseConnection(socket, new MethodNotAllowedError('CONNECT', 'GET, POST'), nextRequestId());
  });
  return server;
}

/** Copies what Express added to Node's prototype, its own layer (the app) last. */
function withMethods(prototype: object, express: object): object {
  const layers = [Object.getPrototypeOf(express), express];
  for (const layer of layers) Object.defineProperties(prototype, Object.getOwnPropertyDescriptors(layer));
  return prototype;
}
