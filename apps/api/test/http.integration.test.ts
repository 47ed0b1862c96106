import { createConnection } from 'node:net';
import { waitFor } from '@ruyi/testkit';
import { describe, expect, test } from 'vitest';
import { apiClient, base64, fresh, group, names, startApi, testSystem, text, unfinishedJobs, upTo } from './harness.ts';

const system = testSystem(['worker']);
const small = testSystem([], { MAX_BODY_BYTES: '1024', MAX_PAYLOAD_BYTES: '10', MAX_RECIPIENTS: '3' });

describe('x-request-id', () => {
  const idFor = async (given: string) =>
    (await system.request('GET', '/health', undefined, { 'x-request-id': given })).headers.get('x-request-id');

  test.each(['a', '!~', 'x'.repeat(128), '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01'])(
    '%s is taken over',
    async (given) => {
      expect(await idFor(given)).toBe(given);
    },
  );

  test.each(['x'.repeat(129), 'a b', 'é', 'a\tb'])('%s is replaced', async (given) => {
    const id = await idFor(given);
    expect(id).toMatch(/^[\x21-\x7e]{1,128}$/);
    expect(id).not.toBe(given);
  });

  test('is on every answer, and another one each time', async () => {
    const answers = await Promise.all([
      system.get('/health'),
      system.get('/nowhere'),
      system.get('/message/send'),
      system.post('/message/send', '{'),
      system.post('/message/send', {}),
      system.send({ ...group(fresh('room')), payload: 'YQ==' }),
      ...upTo(10).map(() => system.get('/health')),
    ]);
    const ids = answers.map(({ headers }) => headers.get('x-request-id'));
    expect(ids).not.toContain(null);
    expect(new Set(ids).size).toBe(ids.length);
  });
});

describe('Prefer: wait', () => {
  const message = () => ({ ...group(fresh('room')), payload: 'YQ==' });

  test.each(['wait=10', 'respond-async, wait=10', 'WAIT=10', 'wait="10"'])(
    '%s answers with the seq',
    async (prefer) => {
      const said = message();
      for (const n of upTo(3)) {
        const { body, headers, status } = await system.send(said, { prefer });
        expect([status, body.data.message_seq]).toEqual([200, n]);
        expect(headers.get('preference-applied')).toBe('wait=10');
        expect((await system.log(said)).map(({ message_seq }) => message_seq)).toEqual(upTo(n));
      }
    },
  );

  test('answers a command and a send to subscribers when they are stored; they have no one seq', async () => {
    const uids = names(3, fresh('u'));
    const room = group(fresh('room'));
    await system.post('/channel', { ...room, subscribers: uids });
    const header = { sync_once: 1 };
    for (const to of [{ channel_id: uids[0], channel_type: 1 }, room, { subscribers: uids }]) {
      const { body, headers } = await system.send({ header, ...to, payload: 'YQ==' }, { prefer: 'wait=10' });
      expect(headers.get('preference-applied')).toBe('wait=10');
      expect(body.data).not.toHaveProperty('message_seq');
    }
    expect(await system.inbox(uids[0] ?? '')).toHaveLength(3);
    expect(await system.inbox(uids[1] ?? '')).toHaveLength(2);
  });

  test('without a worker gets the plain answer when the time is up', async () => {
    const { status, body, headers } = await small.send(message(), { prefer: 'wait=1' });
    expect([status, body.data.message_id > 0, body.data.message_seq]).toEqual([200, true, undefined]);
    expect(headers.get('preference-applied')).toBeNull();
  });

  test.each(['wait=0', 'wait=31', 'wait=100', 'wait=x', 'wait', 'await=5', 'return=minimal'])(
    '%s is not applied',
    async (prefer) => {
      const { status, headers } = await system.send(message(), { prefer });
      expect([status, headers.get('preference-applied')]).toEqual([200, null]);
    },
  );
});

describe('API_TOKEN', () => {
  // Without a worker it is degraded.
  const guarded = testSystem([], { API_TOKEN: 'correct horse' });
  const send = (headers: Record<string, string>, path = '/message/send') =>
    guarded.post(path, { ...group(fresh('room')), payload: 'YQ==' }, headers);

  test.each([
    [{ authorization: 'Bearer correct horse' }],
    [{ authorization: 'bearer correct horse' }],
    [{ token: 'correct horse' }],
    [{ token: 'correct horse', authorization: 'Bearer wrong' }],
  ])('is carried by %j', async (headers) => {
    expect((await send(headers)).status).toBe(200);
    const health = await guarded.request('GET', '/health', undefined, headers);
    expect(health.body).toMatchObject({ status: 'degraded', checks: { redis: { status: 'ok' } } });
  });

  test.each([
    [{}],
    [{ token: '' }],
    [{ token: 'correct' }],
    [{ token: 'correct horse battery' }],
    [{ token: 'Correct horse' }],
    [{ authorization: 'correct horse' }],
    [{ authorization: 'Basic correct horse' }],
    [{ authorization: 'Bearer' }],
    [{ authorization: 'Bearer wrong' }],
  ])('is not carried by %j: nothing but /health is open', async (headers: Record<string, string>) => {
    const before = await unfinishedJobs(guarded.redis);
    for (const path of ['/message/send', '/nowhere', '/channel/info']) {
      const answer = await send(headers, path);
      expect([answer.status, answer.body.code, answer.body.status]).toEqual([401, 'unauthorized', 401]);
      expect(answer.headers.get('www-authenticate')).toBe('Bearer');
    }
    const health = await guarded.request('GET', '/health', undefined, headers);
    expect([health.status, health.body]).toEqual([200, { status: 'degraded' }]);
    expect(await unfinishedJobs(guarded.redis)).toBe(before);
  });

  test('two tokens are both taken, and nothing else', async () => {
    const { process, address } = await startApi({ ...guarded.config, API_TOKEN: 'old one,new' });
    const status = async (token: string) =>
      (await fetch(`${address}/nowhere`, { headers: { authorization: `Bearer ${token}` } })).status;
    expect([await status('old one'), await status('new')]).toEqual([404, 404]);
    for (const token of ['old one,new', 'old', ',', '']) expect(await status(token)).toBe(401);
    expect(await process.kill('SIGTERM')).toEqual({ code: 0, signal: null });
  });
});

describe('bounds that are set', () => {
  const status = async (more: object) =>
    (await small.send({ ...group(fresh('room')), payload: 'YQ==', ...more })).status;

  test('hold to the byte and to the recipient', async () => {
    expect(await status({ payload: base64('x'.repeat(10)) })).toBe(200);
    expect(await status({ payload: base64('x'.repeat(11)) })).toBe(413);
    for (const [count, expected] of [
      [3, 200],
      [4, 400],
    ] as const) {
      expect(await status({ channel_id: '', subscribers: names(count, 'u') })).toBe(expected);
      const batch = { payload: 'YQ==', subscribers: new Array(count).fill('u') };
      expect((await small.sendBatch(batch)).status).toBe(expected);
    }
    const body = JSON.stringify({ ...group(fresh('room')), payload: 'YQ==' });
    expect((await small.post('/message/send', body.padEnd(1024))).status).toBe(200);
    expect((await small.post('/message/send', body.padEnd(1025))).status).toBe(413);
  });
});

test('HEAD is answered like GET, without the body', async () => {
  const { status, body, headers } = await system.request('HEAD', '/health');
  expect([status, body]).toEqual([200, undefined]);
  expect(headers.get('content-type')).toBe('application/json; charset=utf-8');
});

test('an API that is told to stop answers what was begun; all of that is stored', async () => {
  const { process, address } = await startApi(system.config);
  const room = group(fresh('room'));
  const sends = upTo(200).map((n) => apiClient(address).send({ ...room, payload: base64(`${n}`) }));
  await Promise.race(sends);
  expect(await process.kill('SIGTERM')).toEqual({ code: 0, signal: null });
  const settled = await Promise.allSettled(sends);
  const answers = settled.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []));
  expect(answers.map(({ status }) => status)).toEqual(answers.map(() => 200));
  await system.settled();
  const stored = new Set((await system.log(room)).map(({ message_id }) => message_id));
  expect(answers.filter(({ body }) => !stored.has(body.data.message_id))).toEqual([]);
});

test('a request that is half sent when the API is told to stop is answered, and stored', async () => {
  const { process, address } = await startApi(system.config);
  const room = group(fresh('room'));
  const body = JSON.stringify({ ...room, payload: base64('late') });
  const { hostname, port } = new URL(address);
  const socket = createConnection(Number(port), hostname);
  let received = '';
  socket.setEncoding('utf8').on('data', (chunk) => {
    received += chunk;
  });
  const head = `POST /message/send HTTP/1.1\r\nHost: localhost\r\nExpect: 100-continue\r\nContent-Length: ${body.length}\r\n\r\n`;
  socket.write(head + body.slice(0, 10));
  await waitFor(() => received.includes('100 Continue'), { what: 'the head to be read' });
  const stopped = process.kill('SIGTERM');
  const isClosed = () =>
    fetch(`${address}/health`).then(
      () => false,
      () => true,
    );
  await waitFor(isClosed, { what: 'new connections to be refused' });
  socket.write(body.slice(10));
  expect(await stopped).toEqual({ code: 0, signal: null });
  expect(received).toContain('HTTP/1.1 200 OK');
  await system.settled();
  expect((await system.log(room)).map(text)).toEqual(['late']);
});
