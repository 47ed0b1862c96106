import { waitFor } from '@ruyi/testkit';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startApiWith, testSystem } from './harness.ts';
import { connectTo, exchange } from './rawHttp.ts';

const system = testSystem();
let hasty: Awaited<ReturnType<typeof startApiWith>>;
beforeAll(async () => {
  hasty = await startApiWith({ headersMs: 1000, requestMs: 1000 }, system.config);
});
afterAll(async () => {
  expect(await hasty.process.kill('SIGTERM')).toEqual({ code: 0, signal: null });
});

/** `CLOSE` asks the server to end the connection after its answer. */
const CLOSE = 'Connection: close\r\n';
const HOST = 'Host: 127.0.0.1\r\n';

/** What Node or the app refuses before a route is looked for: status, code, and what `msg` says. */
const REFUSED: [what: string, sent: string, status: number, code: string, msg: RegExp][] = [
  ['no Host', `GET /health HTTP/1.1\r\n${CLOSE}\r\n`, 400, 'invalid_request', /^Host: /],
  ['two Hosts', `GET /health HTTP/1.1\r\n${HOST}${HOST}${CLOSE}\r\n`, 400, 'invalid_request', /^Host: /],
  [
    'two Hosts, the second in capitals',
    `GET /health HTTP/1.1\r\n${HOST}HOST: evil.example\r\n${CLOSE}\r\n`,
    400,
    'invalid_request',
    /^Host: /,
  ],
  [
    'another expectation',
    `GET /health HTTP/1.1\r\n${HOST}Expect: 200-ok\r\n${CLOSE}\r\n`,
    417,
    'invalid_request',
    /^Expect: /,
  ],
  [
    'another expectation beside a body',
    `POST /message/send HTTP/1.1\r\n${HOST}Expect: x\r\nContent-Length: 2\r\n${CLOSE}\r\n{}`,
    417,
    'invalid_request',
    /^Expect: /,
  ],
  [
    'a header of 17 KiB',
    `GET /health HTTP/1.1\r\n${HOST}X: ${'x'.repeat(17 * 1024)}\r\n\r\n`,
    431,
    'headers_too_large',
    /16 KiB/,
  ],
  [
    'headers of 1 MiB',
    `GET /health HTTP/1.1\r\n${HOST}${'X-Many: 1\r\n'.repeat(95_000)}\r\n`,
    431,
    'headers_too_large',
    /16 KiB/,
  ],
  ['a path of 17 KiB', `GET /${'x'.repeat(17 * 1024)} HTTP/1.1\r\n${HOST}\r\n`, 431, 'headers_too_large', /16 KiB/],
  ['what is no HTTP', 'hello?\r\n\r\n', 400, 'invalid_request', /^malformed HTTP request$/],
  ['no method of HTTP', `GRAB /health HTTP/1.1\r\n${HOST}\r\n`, 400, 'invalid_request', /^malformed HTTP request$/],
  ['another version', `GET /health HTTP/7.1\r\n${HOST}\r\n`, 400, 'invalid_request', /^malformed HTTP request$/],
  [
    'a header without a name',
    `GET /health HTTP/1.1\r\n${HOST}: x\r\n\r\n`,
    400,
    'invalid_request',
    /^malformed HTTP request$/,
  ],
  [
    'a header with a NUL',
    `GET /health HTTP/1.1\r\n${HOST}X: a\0b\r\n\r\n`,
    400,
    'invalid_request',
    /^malformed HTTP request$/,
  ],
  [
    'a length that is no number',
    `POST /message/send HTTP/1.1\r\n${HOST}Content-Length: x\r\n\r\n`,
    400,
    'invalid_request',
    /^malformed HTTP request$/,
  ],
  [
    'a length and chunks',
    `POST /message/send HTTP/1.1\r\n${HOST}Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n{}`,
    400,
    'invalid_request',
    /^malformed HTTP request$/,
  ],
  [
    'a broken chunk',
    `POST /message/send HTTP/1.1\r\n${HOST}Transfer-Encoding: chunked\r\n\r\nzz\r\n{}\r\n`,
    400,
    'invalid_request',
    /^malformed HTTP request$/,
  ],
  ['CONNECT', `CONNECT 127.0.0.1:80 HTTP/1.1\r\n${HOST}\r\n`, 405, 'method_not_allowed', /^CONNECT /],
];

describe('is answered in JSON, with an x-request-id:', () => {
  test.each(REFUSED)('%s', async (_, sent, status, code, msg) => {
    const answers = await exchange(system.address, sent);
    expect(answers.map((answer) => answer.status)).toEqual([status]);
    const [{ headers = {}, body = '' } = {}] = answers;
    expect(JSON.parse(body)).toMatchObject({ status, code, msg: expect.stringMatching(msg) });
    expect(headers['content-type']).toBe('application/json; charset=utf-8');
    expect(headers['x-request-id']).toMatch(/^[\x21-\x7e]{1,128}$/);
    expect((await system.get('/health')).status).toBe(200);
  });

  test.each([
    ['headers that do not end', `GET /health HTTP/1.1\r\n${HOST}X: `],
    ['a body that does not end', `POST /message/send HTTP/1.1\r\n${HOST}Content-Length: 20\r\n\r\n{`],
  ])('%s', async (_, sent) => {
    const [answer] = await exchange(hasty.address, sent);
    expect([answer?.status, JSON.parse(answer?.body ?? '')]).toEqual([
      408,
      { status: 408, code: 'timeout', msg: expect.any(String), doc: 'docs/errors.md#timeout' },
    ]);
    expect(answer?.headers['x-request-id']).toMatch(/^[\x21-\x7e]{1,128}$/);
  });

  test('each time with another id, its own where the request could be read', async () => {
    const named = await exchange(system.address, `GET /health HTTP/1.1\r\nX-Request-Id: mine\r\n${CLOSE}\r\n`);
    expect(named.map(({ headers }) => headers['x-request-id'])).toEqual(['mine']);
    const broken = await Promise.all([1, 2, 3].map(() => exchange(system.address, '?\r\n\r\n')));
    expect(new Set(broken.flat().map(({ headers }) => headers['x-request-id'])).size).toBe(3);
  });
});

test('HTTP/1.0 without a Host, as old probes speak it, asks for /health', async () => {
  const answers = await exchange(system.address, 'GET /health HTTP/1.0\r\n\r\n');
  expect(answers.map(({ status }) => status)).toEqual([200]);
});

test('a request before one that cannot be read is answered first', async () => {
  const sync = JSON.stringify({ uid: 'u' });
  const asked = `POST /message/sync HTTP/1.1\r\n${HOST}Content-Length: ${sync.length}\r\n\r\n${sync}`;
  const answers = await exchange(system.address, `${asked}?\r\n\r\n`);
  expect(answers.map(({ status, body }) => [status, JSON.parse(body).code])).toEqual([
    [200, undefined],
    [400, 'invalid_request'],
  ]);
});

test('a client that goes on sending after it was refused is cut off', async () => {
  const socket = connectTo(system.address);
  let isClosed = false;
  socket.on('close', () => {
    isClosed = true;
  });
  const sending = setInterval(() => socket.write('?'.repeat(1000)), 20);
  await waitFor(() => isClosed, { what: 'the connection to be closed', deadlineMs: 30_000 });
  clearInterval(sending);
});
