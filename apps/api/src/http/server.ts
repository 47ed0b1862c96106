import {
  createServer,
  IncomingMessage,
  type RequestListener,
  type Server,
  type ServerOptions,
  ServerResponse,
} from 'node:http';
import type { Socket } from 'node:net';
import { MethodNotAllowedError } from '@ruyi/contracts';
import type { Express } from 'express';
import { adoptPrototypes } from './expressInternals.ts';
import { HEADER_BYTES, HTTP_LIMITS, type HttpLimits } from './limits.ts';
import { refusalOf, refuseConnection } from './refuseConnection.ts';
import { watchDeadlines } from './requestDeadline.ts';
import { UnreadAnswers } from './unreadAnswers.ts';

export interface ServerSettings {
  limits?: HttpLimits;
  /** the x-request-id of a connection that is refused before there is a request */
  nextRequestId?(): string;
  onDrop?(socket: Socket, reason: string): void;
  /** what serves instead of the app, if it is not there yet */
  instead?(): RequestListener | undefined;
  /** whether clients should go on elsewhere: each answer closes its connection */
  isDraining?(): boolean;
}

/** The latest answer on each connection. The weak map changes once per connection, because each change costs the collector. */
class LatestAnswers {
  readonly #of = new WeakMap<Socket, { answer: ServerResponse }>();

  note(socket: Socket, answer: ServerResponse): void {
    const known = this.#of.get(socket);
    if (known) known.answer = answer;
    else this.#of.set(socket, { answer });
  }

  on(socket: Socket): ServerResponse | undefined {
    return this.#of.get(socket)?.answer;
  }
}

/**
 * A server for an Express app. What Node refuses by itself is answered like everything else: with a JSON body and an
 * x-request-id (docs/api.md §1).
 */
export function createHttpServer(
  app: Express,
  {
    limits = HTTP_LIMITS,
    nextRequestId = () => '-',
    onDrop = () => {},
    instead = () => undefined,
    isDraining = () => false,
  }: ServerSettings = {},
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
  adoptPrototypes(app, AppRequest, AppResponse);
  const options: ServerOptions<typeof AppRequest, typeof AppResponse> = {
    IncomingMessage: AppRequest,
    ServerResponse: AppResponse,
    headersTimeout: limits.headersMs,
    // watchDeadlines does what this would do, but for uploads.
    requestTimeout: 0,
    keepAliveTimeout: limits.keepAliveMs,
    // How often Node looks for requests that are past their deadline: by default every 30 s.
    connectionsCheckingInterval: 1000,
    maxHeaderSize: HEADER_BYTES,
    // guard.ts refuses a request without a Host, with the usual error body.
    requireHostHeader: false,
    noDelay: true,
  };
  const serve: RequestListener<typeof AppRequest, typeof AppResponse> = (request, response) =>
    (instead() ?? app)(request, response);
  const server: Server<typeof AppRequest, typeof AppResponse> = createServer(options, serve);
  // No bound on their number, because Node would drop the headers beyond it silently. HEADER_BYTES bounds their size.
  server.maxHeadersCount = 0;
  // For Node a connection is idle once its answer was ended, also if not all of that is on its way: closing would cut it.
  const closeIdle = server.closeIdleConnections.bind(server);
  server.closeIdleConnections = () => {
    if (unread.areNone) closeIdle();
  };
  const answers = new LatestAnswers();
  server.prependListener('request', ({ socket }, response: ServerResponse) => {
    answers.note(socket, response);
    // While the server closes, or soon will, tell the client not to send more on this connection.
    if (!server.listening || isDraining()) response.setHeader('Connection', 'close');
  });
  server.on('checkExpectation', serve);
  server.on('timeout', (socket) => unread.timedOut(socket));
  server.on('clientError', (error: NodeJS.ErrnoException, socket: Socket) => {
    if (error.code === 'ECONNRESET') socket.destroy();
    else refuseConnection(socket, refusalOf(error), nextRequestId(), answers.on(socket));
  });
  watchDeadlines(server, limits.requestMs, ({ socket }) => {
    refuseConnection(socket, refusalOf({ code: 'ERR_HTTP_REQUEST_TIMEOUT' }), nextRequestId(), answers.on(socket));
  });
  server.on('connect', (_request, socket: Socket) => {
    socket.on('error', () => socket.destroy()).resume();
    refuseConnection(socket, new MethodNotAllowedError('CONNECT', 'GET, POST, PUT'), nextRequestId());
  });
  return server;
}
