// The other side of single sends: an Express app that parses the body and answers, on a server as fast as the API's.
import { createServer, IncomingMessage, type ServerOptions, ServerResponse } from 'node:http';
import { reportReady } from '@ruyi/process';
import express from 'express';

const app = express();
app.disable('x-powered-by');
app.disable('etag');
const text = JSON.stringify({
  status: 200,
  data: {
    message_id: 3677091749793792,
    message_idstr: '3677091749793792',
    client_msg_no: 'c107ae5c818644f8bfadb933676f2b41',
  },
});
app.post('/message/send', (request, response) => {
  const chunks: Buffer[] = [];
  request.on('data', (chunk: Buffer) => chunks.push(chunk));
  request.on('end', () => {
    JSON.parse(Buffer.concat(chunks).toString('utf8'));
    response.writeHead(200, {
      'Content-Type': 'application/json; charset=utf-8',
      'Content-Length': Buffer.byteLength(text),
    });
    response.end(text);
  });
});

// As in the API: requests and responses are born with Express' methods, so it sets no prototypes, which would make it
// three to four times slower and flatter us.
class BareRequest extends IncomingMessage {}
class BareResponse<Request extends IncomingMessage> extends ServerResponse<Request> {}
Reflect.set(app, 'request', withMethods(BareRequest.prototype, app.request));
Reflect.set(app, 'response', withMethods(BareResponse.prototype, app.response));
const options: ServerOptions<typeof BareRequest, typeof BareResponse> = {
  IncomingMessage: BareRequest,
  ServerResponse: BareResponse,
  keepAliveTimeout: 65_000,
  noDelay: true,
};
const server = createServer(options, app).listen(0, '127.0.0.1', () => {
  const address = server.address();
  const port = typeof address === 'object' && address ? address.port : 0;
  reportReady({ address: `http://127.0.0.1:${port}` });
});
process.on('SIGTERM', () => process.exit(0));
process.on('disconnect', () => process.exit(0));

/** Copies what Express added to Node's prototype, its own layer (the app) last. */
function withMethods(prototype: object, express: object): object {
  const layers = [Object.getPrototypeOf(express), express];
  for (const layer of layers) Object.defineProperties(prototype, Object.getOwnPropertyDescriptors(layer));
  return prototype;
}
