import { readFileSync } from 'node:fs';
import { waitFor } from '@ruyi/testkit';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { apiClient, fresh, group, startApi, startApiWith, testSystem, unfinishedJobs, upTo } from './harness.ts';
import { connectTo } from './rawHttp.ts';

const MIB = 1024 * 1024;
const system = testSystem();

const message = () => ({ ...group(fresh('room')), payload: 'YQ==' });
/** A valid request of this length, because of a field that is ignored. */
function padded(request: object, bytes: number): string {
  const text = JSON.stringify({ ...request, more: '' });
  return text.replace('"more":""', `"more":"${'x'.repeat(bytes - text.length)}"`);
}

describe('a body', () => {
  const members = { channel_id: 'g', channel_type: 2, subscribers: ['u'] };
  test.each<[path: string, request: object]>([
    ['/message/send', message()],
    ['/message/sendbatch', { subscribers: ['u'], payload: 'YQ==' }],
    ['/channel', members],
    ['/channel/subscriber_add', members],
    ['/channel/subscriber_remove', members],
  ])('of %s may have MAX_BODY_BYTES', async (path, request) => {
    expect((await system.post(path, padded(request, 16 * MIB))).status).toBe(200);
    expect((await system.post(path, padded(request, 16 * MIB + 1))).status).toBe(413);
  });

  const channel = { channel_id: 'g', channel_type: 2 };
  test.each<[path: string, request: object]>([
    ['/channel/messagesync', channel],
    ['/channel/info', channel],
    ['/channel/delete', channel],
    ['/message/sync', { uid: 'u' }],
    ['/message/syncack', { uid: 'u', last_message_seq: 0 }],
    ['/messages', channel],
    ['/user/token', { uid: 'u', token: 't' }],
    ['/plugins/wk.plugin.search/usersearch', { uid: 'u' }],
  ])('of %s may have 1 MiB', async (path, request) => {
    expect((await system.post(path, padded(request, MIB))).status).toBe(200);
    const refused = await system.post(path, padded(request, MIB + 1));
    expect([refused.status, refused.body.code]).toEqual([413, 'payload_too_large']);
  });

  test('may begin with a byte order mark', async () => {
    expect((await system.post('/message/send', `\ufeff${JSON.stringify(message())}`)).status).toBe(200);
    for (const body of ['\ufeff', '\ufeff\ufeff{}', ' \ufeff{}']) {
      expect((await system.post('/message/send', body)).body.code).toBe('invalid_json');
    }
  });
});

describe('a list of what is wrong', () => {
  const list = (bytes: number) => new Array(Math.floor(bytes / 3)).fill(-1);
  const channel = { channel_id: 'g', channel_type: 2 };
  const search = { uid: 'u' };
  const rows: [what: string, path: string, body: object, status: number][] = [
    ['message_seqs of 2.9 MiB', '/messages', { ...channel, message_seqs: list(2.9 * MIB) }, 413],
    ['message_seqs of 0.9 MiB', '/messages', { ...channel, message_seqs: list(0.9 * MIB) }, 400],
    ['1,000 message_seqs', '/messages', { ...channel, message_seqs: list(3000) }, 400],
    ['client_msg_nos of 0.9 MiB', '/messages', { ...channel, client_msg_nos: list(0.9 * MIB) }, 400],
    [
      'payload_types of 0.9 MiB',
      '/plugins/wk.plugin.search/usersearch',
      { ...search, payload_types: list(0.9 * MIB) },
      400,
    ],
    ['highlights of 0.9 MiB', '/plugins/wk.plugin.search/usersearch', { ...search, highlights: list(0.9 * MIB) }, 400],
    ['fields of 0.9 MiB', '/plugins/wk.plugin.search/usersearch', { ...search, payload: { ...list(0.1 * MIB) } }, 400],
    [
      'a field with a name of 0.9 MiB',
      '/plugins/wk.plugin.search/usersearch',
      { ...search, payload: { ['x'.repeat(0.9 * MIB)]: 1 } },
      400,
    ],
    ['subscribers of 15 MiB', '/message/send', { payload: 'YQ==', subscribers: list(15 * MIB) }, 400],
    ['100,000 subscribers', '/message/sendbatch', { payload: 'YQ==', subscribers: list(300_000) }, 400],
    ['members of 15 MiB', '/channel', { ...channel, subscribers: list(15 * MIB) }, 400],
    ['100,000 members', '/channel/subscriber_add', { ...channel, subscribers: list(300_000) }, 400],
  ];
  test.each(rows)('is refused in under 2 KB while others are served: %s', async (_, path, body, status) => {
    const text = JSON.stringify(body);
    const heavy = upTo(3).map(() => system.post(path, text));
    const others = [...upTo(100).map(() => system.send(message())), ...upTo(20).map(() => system.get('/health'))];
    for (const answer of await Promise.all(heavy)) {
      expect(answer.status).toBe(status);
      expect(JSON.stringify(answer.body).length).toBeLessThan(2000);
      expect(answer.body.errors?.length ?? 1).toBe(1);
    }
    expect(new Set((await Promise.all(others)).map((answer) => answer.status))).toEqual(new Set([200]));
  });
});

test('a body that comes byte by byte costs no more memory than its size', async () => {
  const { process, address } = await startApi(system.config);
  const socket = connectTo(address).setEncoding('latin1');
  let received = '';
  socket.on('data', (chunk) => {
    received += chunk;
  });
  const bytes = MIB;
  const body = padded(message(), bytes);
  socket.write('POST /message/send HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n');
  const piece = 64 * 1024;
  for (let at = 0; at < body.length; at += piece) {
    const chunks = Array.from(body.slice(at, at + piece), (byte) => `1\r\n${byte}\r\n`).join('');
    if (!socket.write(chunks)) await new Promise((resolve) => socket.once('drain', resolve));
  }
  socket.write('0\r\n\r\n');
  await waitFor(() => received.includes('HTTP/1.1 200 OK'), { what: 'the answer', deadlineMs: 60_000 });
  socket.destroy();
  const peak = /VmHWM:\s*(\d+) kB/.exec(readFileSync(`/proc/${process.pid}/status`, 'utf8'))?.[1];
  expect(Number(peak) / 1024).toBeLessThan(250);
  expect(await process.kill('SIGTERM')).toEqual({ code: 0, signal: null });
});

describe('the bodies of all requests together', () => {
  let api: Awaited<ReturnType<typeof startApiWith>>;
  beforeAll(async () => {
    api = await startApiWith({ bodiesBytes: 3 * MIB }, system.config);
  });
  afterAll(async () => {
    expect(await api.process.kill('SIGTERM')).toEqual({ code: 0, signal: null });
  });
  const send = () => apiClient(api.address).request('POST', '/message/send', message());

  /** A request that has sent this much of its body, but not its end. */
  async function unfinished(bytes: number, announced = bytes + 1) {
    const socket = connectTo(api.address);
    socket.write(`POST /message/send HTTP/1.1\r\nHost: localhost\r\nContent-Length: ${announced}\r\n\r\n`);
    socket.write('x'.repeat(bytes));
    await waitFor(() => socket.bytesWritten > bytes && socket.writableLength === 0, { what: 'it to be sent' });
    // After this many turns of the server's event loop all of it has been read.
    for (const _ of upTo(20)) expect((await fetch(`${api.address}/health`)).status).toBe(200);
    return socket;
  }

  test('are bounded: beyond it is 429, nothing is queued, and those that end make room', async () => {
    const sockets = [await unfinished(2 * MIB), await unfinished(MIB)];
    const before = await unfinishedJobs(system.redis);
    const answer = await send();
    expect([answer.status, answer.body.code]).toEqual([429, 'overloaded']);
    expect(Number(answer.headers.get('retry-after'))).toBeGreaterThan(0);
    expect(await unfinishedJobs(system.redis)).toBe(before);
    // Requests without a body are served.
    expect((await fetch(`${api.address}/health`)).status).toBe(200);
    sockets[0]?.destroy();
    await waitFor(async () => (await send()).status === 200, { what: 'room' });
    for (const socket of sockets) socket.destroy();
  });

  test('count by what has arrived: to announce much is not enough to shut out others', async () => {
    const sockets = await Promise.all(upTo(50).map(() => unfinished(1, 16 * MIB)));
    for (const _ of upTo(20)) expect((await send()).status).toBe(200);
    for (const socket of sockets) socket.destroy();
  });

  test('are given back, however a request ends', async () => {
    const client = apiClient(api.address);
    const large = padded(message(), 2 * MIB);
    for (const _ of upTo(3)) {
      await waitFor(async () => (await client.post('/message/send', large)).status === 200, { what: 'room' });
      expect((await client.post('/message/send', large.slice(1))).body.code).toBe('invalid_json');
      expect((await client.post('/message/send', large.replace('YQ==', '@'))).body.code).toBe('invalid_request');
      expect((await client.post('/message/sync', large)).status).toBe(413);
      expect((await client.post('/message/send', padded(message(), 4 * MIB))).status).toBe(429);
      (await unfinished(2 * MIB)).destroy();
    }
    await waitFor(async () => (await client.post('/message/send', large)).status === 200, { what: 'room' });
  });
});
