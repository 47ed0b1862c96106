import { once } from 'node:events';
import { createConnection, type Socket } from 'node:net';
import { waitFor } from '@ruyi/testkit';
import { expect, test } from 'vitest';
import { readJson } from '../src/http/body.ts';
import { BodyBudget } from '../src/http/bodyBudget.ts';
import { readingServer } from './readingServer.ts';

const MOST = 100;
const budget = new BodyBudget(250);
const server = readingServer((request) => {
  const share = budget.share();
  const reading = readJson(request, MOST, share).finally(() => share.release());
  if (request.url === '/cut-off') request.destroy();
  return reading;
});
const { outcomes } = server;

const head = (bytes: number) => `POST / HTTP/1.1\r\nHost: x\r\nContent-Length: ${bytes}\r\n\r\n`;
const bodyOf = (bytes: number) => `{"a":"${'x'.repeat(bytes - 8)}"}`;
const untilRead = (count: number) => waitFor(() => outcomes.length === count, { what: `${count} bodies to be read` });

async function connected(): Promise<Socket> {
  const socket = createConnection({ port: server.port, host: '127.0.0.1', noDelay: true }).on('error', () => {});
  socket.resume();
  await once(socket, 'connect');
  return socket;
}

/** Sends the parts one after the other. */
async function send(parts: string[]): Promise<void> {
  const socket = await connected();
  for (const part of parts) await new Promise((resolve) => socket.write(part, resolve));
}

test.each([
  ['in one piece with its head', [head(100) + bodyOf(100)]],
  ['after its head', [head(100), bodyOf(100)]],
  ['in pieces', [head(100) + bodyOf(100).slice(0, 50), bodyOf(100).slice(50)]],
])('a body that comes %s is read', async (_, parts) => {
  await send(parts);
  await untilRead(1);
  expect(outcomes).toEqual([JSON.parse(bodyOf(100))]);
});

test.each([
  ['in one piece', [head(101) + bodyOf(101)]],
  ['in pieces', [head(101), bodyOf(101)]],
])('one that is a byte too long is refused, %s', async (_, parts) => {
  await send(parts);
  await untilRead(1);
  expect(outcomes).toEqual(['payload_too_large']);
});

test('requests in one piece with each other are all read', async () => {
  await send([(head(20) + bodyOf(20)).repeat(5)]);
  await untilRead(5);
  expect(outcomes).toEqual(Array(5).fill(JSON.parse(bodyOf(20))));
});

test('bodies that are too large together are refused, and make room when they end', async () => {
  const share = budget.share();
  expect(share.grow(200)).toBe(true);
  await send([head(60) + bodyOf(60)]);
  await untilRead(1);
  share.release();
  await send([head(60) + bodyOf(60)]);
  await untilRead(2);
  expect(outcomes).toEqual(['overloaded', JSON.parse(bodyOf(60))]);
});

test('a connection that is cut off in the turn in which its request came ends that request', async () => {
  await send([(head(100) + bodyOf(100).slice(0, 50)).replace('POST /', 'POST /cut-off')]);
  await untilRead(1);
  expect(outcomes).toEqual(['invalid_json']);
});

test('whoever goes away in the middle of a body is forgotten', async () => {
  const half = head(100) + bodyOf(100).slice(0, 50);
  // Half of them end in the turn in which they send.
  for (let i = 0; i < 20; i++) {
    const socket = await connected();
    if (i % 2 === 0) socket.end(half);
    else socket.write(half, () => socket.end());
  }
  await untilRead(20);
  expect(new Set(outcomes)).toEqual(new Set(['invalid_json']));
  const share = budget.share();
  expect(share.grow(250)).toBe(true);
  share.release();
});
