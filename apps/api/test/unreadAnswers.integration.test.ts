import { waitFor } from '@ruyi/testkit';
import { afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { HttpLimits } from '../src/http/limits.ts';
import { apiClient, base64, group, startApiWith, testSystem, upTo } from './harness.ts';
import { connectTo } from './rawHttp.ts';

const MIB = 1024 * 1024;
const system = testSystem(['worker']);
const room = group('room');
/** Length of the answer to `range`: more than the system's buffers hold. */
let answerBytes = 0;
const range = JSON.stringify({ ...room, limit: 100 });
const ASKED = `POST /channel/messagesync HTTP/1.1\r\nHost: localhost\r\nContent-Length: ${range.length}\r\n\r\n${range}`;

beforeAll(async () => {
  const payload = base64('x'.repeat(256 * 1024));
  for (const _ of upTo(64)) expect((await system.send({ ...room, payload })).status).toBe(200);
  await system.settled();
  answerBytes = JSON.stringify(await system.messageSync({ ...room, limit: 100 })).length;
  expect(answerBytes).toBeGreaterThan(15 * MIB);
});

let api: Awaited<ReturnType<typeof startApiWith>> | undefined;
afterEach(async () => {
  if (api) expect(await api.process.kill('SIGTERM')).toEqual({ code: 0, signal: null });
  api = undefined;
});

/** An API with these bounds, and the reasons for which it has dropped connections. */
async function apiWith(limits: Partial<HttpLimits>) {
  const started = await startApiWith(limits, system.config);
  api = started;
  const reasons = () =>
    [...started.process.stdout.matchAll(/"reason":"([^"]*)","msg":"connection dropped"/g)].map(([, reason]) => reason);
  return { address: started.address, reasons };
}

/** Asks, and reads nothing: a socket that nobody listens to takes nothing from its system. */
function askWithoutReading(address: string, times = 1) {
  const socket = connectTo(address);
  socket.write(ASKED.repeat(times));
  return socket;
}

const readAll = async (address: string) =>
  JSON.stringify((await apiClient(address).post('/channel/messagesync', range)).body).length;

describe('a client that does not read its answer', () => {
  test('is dropped when its time is up; others read theirs', async () => {
    const { address, reasons } = await apiWith({ unreadMs: 3000 });
    const sockets = upTo(3).map(() => askWithoutReading(address));
    await waitFor(() => reasons().length === 3, { what: 'all to be dropped', deadlineMs: 30_000 });
    expect(new Set(reasons())).toEqual(new Set(['nothing was read of its answer']));
    expect(await readAll(address)).toBe(answerBytes);
    // Only what the system's buffers had taken is left to read.
    for (const socket of sockets) {
      let read = 0;
      let isClosed = false;
      socket.on('data', (chunk) => {
        read += chunk.length;
      });
      socket.on('close', () => {
        isClosed = true;
      });
      await waitFor(() => isClosed, { what: 'the connection to be closed' });
      expect(read).toBeLessThan(answerBytes);
    }
  });

  test('is dropped at once when it asks for much on one connection', async () => {
    const { address, reasons } = await apiWith({ unreadBytesOfOne: 24 * MIB });
    const socket = askWithoutReading(address, 5);
    await waitFor(() => reasons().length > 0, { what: 'it to be dropped', deadlineMs: 100_000 });
    expect(reasons()).toEqual(['too much of its answers is unread']);
    expect(await readAll(address)).toBe(answerBytes);
    socket.destroy();
  });

  test('makes room for others when there are many of its kind: all of them together are bounded', async () => {
    const { address, reasons } = await apiWith({ unreadBytes: 60 * MIB });
    const sockets = [];
    for (const _ of upTo(10)) {
      sockets.push(askWithoutReading(address));
      expect(await readAll(address)).toBe(answerBytes);
    }
    // Each holds what the system's buffers, a few MiB, did not take of its answer.
    await waitFor(() => reasons().length >= 10 - 60 / 10, { what: 'the longest waiting to be dropped' });
    expect(new Set(reasons())).toEqual(new Set(['too many answers are unread, and it has waited longest']));
    for (const socket of sockets) socket.destroy();
  });
});

test('a client that reads slowly, but reads, gets all of it', async () => {
  const { address, reasons } = await apiWith({ unreadMs: 4000 });
  const socket = askWithoutReading(address);
  const began = performance.now();
  let read = 0;
  let piece = 0;
  socket.on('data', (chunk) => {
    read += chunk.length;
    piece += chunk.length;
    if (piece > 1.5 * MIB) socket.pause();
  });
  // A piece at a time: it takes longer than a client that reads nothing may.
  const reading = setInterval(() => {
    piece = 0;
    socket.resume();
  }, 500);
  await waitFor(() => read > answerBytes, { what: 'the whole answer', deadlineMs: 60_000 });
  clearInterval(reading);
  expect(reasons()).toEqual([]);
  expect(performance.now() - began).toBeGreaterThan(4000);
  socket.destroy();
});

test('an answer that is read slowly is whole, also if the API is told to stop meanwhile', async () => {
  const { address } = await apiWith({});
  const socket = askWithoutReading(address);
  let read = 0;
  const ended = new Promise((resolve) => socket.once('close', resolve));
  socket.on('data', (chunk) => {
    if (read === 0) socket.pause();
    read += chunk.length;
  });
  await waitFor(() => read > 0, { what: 'the answer to begin' });
  const stopped = api?.process.kill('SIGTERM');
  const isRefused = () =>
    fetch(`${address}/health`).then(
      () => false,
      () => true,
    );
  await waitFor(isRefused, { what: 'new connections to be refused' });
  socket.resume();
  await ended;
  expect(read).toBeGreaterThan(answerBytes);
  expect(await stopped).toEqual({ code: 0, signal: null });
});

test('a connection that is only kept open is not dropped', async () => {
  const { address, reasons } = await apiWith({ unreadMs: 300 });
  const socket = connectTo(address).setEncoding('utf8');
  let answers = 0;
  socket.on('data', (text) => {
    answers += String(text).split('HTTP/1.1 200').length - 1;
  });
  const began = performance.now();
  for (const n of upTo(3)) {
    socket.write('GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n');
    await waitFor(() => answers === n, { what: 'the answer' });
    await waitFor(() => performance.now() - began > n * 500, { what: 'a pause' });
  }
  expect(reasons()).toEqual([]);
  socket.destroy();
});
