import type { IncomingMessage } from 'node:http';
import { createConnection, type Socket } from 'node:net';
import { gzipSync } from 'node:zlib';
import { waitFor } from '@ruyi/testkit';
import { beforeEach, describe, expect, test } from 'vitest';
import { uploadedBytes } from '../src/http/uploadedBytes.ts';
import { readingServer } from './readingServer.ts';

/** Longer than a test may take: whoever waits for more of an upload that was cut fails. */
const IDLE_MS = 60_000;
const LINES = Array.from({ length: 20_000 }, (_, i) => `user-${i}\n`).join('');
const FORMS = { identity: Buffer.from(LINES), gzip: gzipSync(LINES) };

/** when an upload is read on */
const held: (() => void)[] = [];
let current: IncomingMessage | undefined;
/** Tells how many bytes each upload brought. */
const server = readingServer(read);
const { outcomes } = server;

async function read(request: IncomingMessage): Promise<number> {
  current = request.on('error', () => {});
  const isLate = request.url === '/late';
  const untilTold = () => new Promise<void>((resolve) => held.push(resolve));
  if (isLate) await untilTold();
  let length = 0;
  for await (const chunk of uploadedBytes(request, IDLE_MS)) {
    if (length === 0 && !isLate) await untilTold();
    length += chunk.length;
  }
  return length;
}

beforeEach(() => {
  held.length = 0;
});

describe.each(['identity', 'gzip'] as const)('%s', (encoding) => {
  const body = FORMS[encoding];
  const half = body.length >> 1;
  const head = (path: string) =>
    `PUT ${path} HTTP/1.1\r\nHost: x\r\nContent-Encoding: ${encoding}\r\nContent-Length: ${body.length}\r\n\r\n`;

  test.each([0, 1, half, body.length - 1, body.length])(
    'cut before it is read, after %i bytes, it ends',
    async (sent) => {
      const socket = await send('/late', sent);
      await cut(socket);
      await ended();
    },
  );

  test.each([half, body.length - 1, body.length])(
    'cut while nobody reads on, after %i bytes, it ends',
    async (sent) => {
      const socket = await send('/begun', half);
      await new Promise((resolve) => socket.write(body.subarray(half, sent), resolve));
      await cut(socket);
      await ended();
    },
  );

  test('whole, it is read', async () => {
    const socket = await send('/late', body.length);
    held.pop()?.();
    await ended();
    expect(outcomes).toEqual([LINES.length]);
    socket.destroy();
  });

  /** Begins an upload, and waits until it is held. */
  async function send(path: string, bytes: number): Promise<Socket> {
    const socket = createConnection({ port: server.port, host: '127.0.0.1' }).on('error', () => {});
    await new Promise((resolve) =>
      socket.write(Buffer.concat([Buffer.from(head(path)), body.subarray(0, bytes)]), resolve),
    );
    await waitFor(() => held.length === 1, { what: 'the upload to be held' });
    return socket;
  }
});

/** Ends the connection, and goes on when the server knows, or does not read from it. */
async function cut(socket: Socket): Promise<void> {
  socket.destroy();
  await waitFor(() => current?.destroyed || current?.socket.isPaused(), { what: 'the connection to be cut' });
  held.pop()?.();
}

async function ended(): Promise<void> {
  await waitFor(() => outcomes.length === 1, { what: 'the upload to end' });
  expect(['invalid_json', LINES.length]).toContain(outcomes[0]);
}
