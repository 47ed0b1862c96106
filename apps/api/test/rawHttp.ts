import { request as httpRequest } from 'node:http';
import { createConnection, type Socket } from 'node:net';
import { waitFor } from '@ruyi/testkit';

export interface RawAnswer {
  status: number;
  headers: Record<string, string>;
  body: string;
}

/** A connection that never fails a test by itself: servers may close it whenever they have had enough. */
export function connectTo(address: string): Socket {
  const { hostname, port } = new URL(address);
  return createConnection({ host: hostname, port: Number(port) }).on('error', () => {});
}

/** Sends a text as it is, and reads until the server has ended the connection: one answer, or several. */
export async function exchange(address: string, text: string | Buffer): Promise<RawAnswer[]> {
  const socket = connectTo(address);
  let received = '';
  let isEnded = false;
  socket.setEncoding('utf8').on('data', (chunk) => {
    received += chunk;
  });
  socket.on('end', () => {
    isEnded = true;
  });
  socket.on('close', () => {
    isEnded = true;
  });
  socket.write(text);
  await waitFor(() => isEnded, { what: 'the connection to be ended', deadlineMs: 30_000 });
  socket.destroy();
  return answersIn(received);
}

/** Answers without a Content-Length end with the connection. */
function answersIn(text: string): RawAnswer[] {
  const [head, ...rest] = text.split('\r\n\r\n');
  if (head === undefined || head === '') return [];
  const after = rest.join('\r\n\r\n');
  const [first = '', ...lines] = head.split('\r\n');
  const headers = Object.fromEntries(
    lines.map((line) => {
      const colon = line.indexOf(':');
      return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()];
    }),
  );
  const status = Number(first.split(' ')[1]);
  const length = status === 100 ? 0 : Number(headers['content-length'] ?? after.length);
  return [{ status, headers, body: after.slice(0, length) }, ...answersIn(after.slice(length))];
}

/** One request with headers as they are given: `fetch` sets some by itself and refuses others. */
export function ask(
  address: string,
  method: string,
  path: string,
  headers: Record<string, string>,
  body = '',
): Promise<RawAnswer> {
  return new Promise((resolve, reject) => {
    const sent = httpRequest(address + path, { method, headers, agent: false }, (answer) => {
      let text = '';
      answer.setEncoding('utf8').on('data', (chunk) => {
        text += chunk;
      });
      const given = Object.entries(answer.headers).map(([name, value]) => [name, String(value)]);
      answer.on('end', () =>
        resolve({ status: answer.statusCode ?? 0, headers: Object.fromEntries(given), body: text }),
      );
    });
    sent.on('error', reject).end(body);
  });
}
