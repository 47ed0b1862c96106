import { createServer, IncomingMessage, type Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { Express } from 'express';

const HEADERS_MS = 15_000;
const REQUEST_MS = 60_000;
const KEEP_ALIVE_MS = 65_000;

/**
 * A server for an Express app. Express sets the prototypes of every request and response; objects that are born with
 * them spare that, which is about half of the time of a small request.
 */
export function createHttpServer(app: Express): Server {
  function Request(socket: Socket) {
    return Reflect.construct(IncomingMessage, [socket], Request);
  }
  Request.prototype = app.request;
  function Response(request: IncomingMessage, options: object) {
    return Reflect.construct(ServerResponse, [request, options], Response);
  }
  Response.prototype = app.response;
  const classes = { IncomingMessage: Request, ServerResponse: Response };
  const server: Server = Reflect.apply(createServer, undefined, [
    {
      ...classes,
      headersTimeout: HEADERS_MS,
      requestTimeout: REQUEST_MS,
      keepAliveTimeout: KEEP_ALIVE_MS,
      // Bodies that never end are found within a second or so of their deadline.
      connectionsCheckingInterval: 1000,
      noDelay: true,
    },
    app,
  ]);
  server.prependListener('request', (_request, response: ServerResponse) => {
    // While it closes, a client is told not to send more on this connection.
    if (!server.listening) response.setHeader('Connection', 'close');
  });
  server.on('clientError', (error: NodeJS.ErrnoException, socket: Socket) => {
    if (!socket.writable || error.code === 'ECONNRESET') return void socket.destroy();
    const tooLate = error.code === 'ERR_HTTP_REQUEST_TIMEOUT';
    const [status, msg] = tooLate
      ? ['408 Request Timeout', 'the request took too long']
      : ['400 Bad Request', 'this is no HTTP request'];
    const body = JSON.stringify({ msg, status: Number(status.slice(0, 3)), code: 'invalid_request' });
    socket.end(
      `HTTP/1.1 ${status}\r\nContent-Type: application/json; charset=utf-8\r\nContent-Length: ${Buffer.byteLength(body)}\r\nConnection: close\r\n\r\n${body}`,
    );
  });
  return server;
}
