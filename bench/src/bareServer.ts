// What single sends are compared with: Express with the same server options, which only parses the body and answers.
import { createHttpServer } from '@ruyi/api/server';
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
const server = createHttpServer(app).listen(0, '127.0.0.1', () => {
  const address = server.address();
  const port = typeof address === 'object' && address ? address.port : 0;
  process.send?.({ ready: true, address: `http://127.0.0.1:${port}` });
});
process.on('SIGTERM', () => process.exit(0));
process.on('disconnect', () => process.exit(0));
