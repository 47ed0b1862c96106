import { createHash } from 'node:crypto';
import { waitFor } from '@ruyi/testkit';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { apiClient, base64, fresh, group, names, startApi, testSystem } from './harness.ts';
import { exchange } from './rawHttp.ts';

const MOST_IN_LINE = 8000;
const API_TOKEN = 'the-api-token';
const USER_TOKEN = 'the-token-of-a-user';
const payload = base64('SECRET'.repeat(40_000));
const uids = names(5000, 'someone-');
const room = { ...group('room'), channel_id: fresh('room') };

const system = testSystem([], { API_TOKEN, REQUIRE_KNOWN_USERS: '1' });
let api: Awaited<ReturnType<typeof startApi>>;
beforeAll(async () => {
  api = await startApi({ ...system.config, LOG_LEVEL: 'info' });
  // Now ids are leased and scripts are loaded, so the commands that fail below are those with the client's data.
  await ask('/message/send', { ...room, payload: 'YQ==' });
  await ask('/message/sendbatch', { subscribers: ['ann'], payload: 'YQ==' });
});
afterAll(async () => {
  expect(await api.process.kill('SIGTERM')).toEqual({ code: 0, signal: null });
});

const ask = (path: string, body: unknown, headers: Record<string, string> = {}) =>
  apiClient(api.address).post(path, body, { authorization: `Bearer ${API_TOKEN}`, ...headers });

/** The lines of the log that name this request. */
const linesOf = (requestId: string) =>
  api.process.stdout.split('\n').filter((line) => line.includes(`"requestId":"${requestId}"`));

/** An access rule of Redis that refuses the command with the client's data, and a request that runs into it. */
const FAILURES: [what: string, rule: string[], path: string, body: object][] = [
  ['a message that its queue refuses', ['resetkeys', '~r:*'], '/message/send', { ...room, payload }],
  [
    'a command to many',
    ['resetkeys', '~r:*'],
    '/message/send',
    { header: { sync_once: 1 }, subscribers: uids, payload },
  ],
  [
    'a batch whose body is refused',
    ['resetkeys', '~r:{ids}*', '~r:{?}*', '~{r.*'],
    '/message/send',
    { subscribers: uids, payload },
  ],
  ['a batch whose users are looked up', ['-smismember'], '/message/sendbatch', { subscribers: uids, payload }],
  ['subscribers', ['-sadd', '-evalsha', '-eval'], '/channel/subscriber_add', { ...room, subscribers: uids }],
  ['a user and a token', ['-hset'], '/user/token', { uid: 'ann', token: USER_TOKEN }],
  ['a search', ['-smembers'], '/plugins/wk.plugin.search/usersearch', { uid: 'ann', payload: { content: 'SECRET' } }],
];

describe('the log has one line for a request that fails, and it is bounded', () => {
  test.each(FAILURES)('%s', async (_, rule, path, body) => {
    const { client } = system.redis;
    await client.call('ACL', 'SETUSER', 'default', ...rule);
    const answer = await ask(path, body).finally(() => client.call('ACL', 'SETUSER', 'default', 'allkeys', '+@all'));
    expect([500, 503]).toContain(answer.status);
    const requestId = answer.headers.get('x-request-id') ?? '';
    await waitFor(() => linesOf(requestId).length > 0, { what: 'a line of the log' });
    const [line = '', ...more] = linesOf(requestId);
    expect(more).toEqual([]);
    expect(JSON.parse(line)).toMatchObject({ requestId, err: { message: expect.stringMatching(/NOPERM|EXECABORT/) } });
    expect(line.length).toBeLessThan(MOST_IN_LINE);
    const hash = createHash('sha256').update(USER_TOKEN).digest('hex');
    const kept = [payload.slice(0, 64), 'SECRET', API_TOKEN, USER_TOKEN, hash, uids[17] ?? ''];
    expect(kept.filter((text) => line.includes(text))).toEqual([]);
  });
});

test('a request that is refused with 4xx writes no line, however large what it carries', async () => {
  const before = api.process.stdout.length;
  const large = 'x'.repeat(12_000);
  const answers = await Promise.all([
    ask(`/${large}`, {}),
    ask('/message/send', { ...room, payload, channel_id: large }),
    ask('/message/send', `{"payload":"${payload}`),
    ask('/message/send', { ...room, payload }, { authorization: `Bearer ${large}` }),
    ask('/message/send', { ...room }, { 'x-request-id': large }),
  ]);
  expect(answers.map(({ status }) => status)).toEqual([404, 400, 400, 401, 400]);
  const [garbage] = await exchange(api.address, `${large}\r\n\r\n`);
  expect(garbage?.status).toBe(400);
  expect(api.process.stdout.slice(before)).toBe('');
});

test('an id that a client gives is logged if it is usable; another one does not reach the log', async () => {
  const { client } = system.redis;
  await client.call('ACL', 'SETUSER', 'default', 'resetkeys', '~r:*');
  const fail = (id: string) => ask('/message/send', { ...room, payload: 'YQ==' }, { 'x-request-id': id });
  const [longest, tooLong] = ['a'.repeat(128), 'b'.repeat(129)];
  const answers = await Promise.all([fail(longest), fail(tooLong)]);
  await client.call('ACL', 'SETUSER', 'default', 'allkeys', '+@all');
  for (const { headers } of answers) {
    await waitFor(() => linesOf(headers.get('x-request-id') ?? '').length === 1, { what: 'a line of the log' });
  }
  expect(linesOf(longest)).toHaveLength(1);
  expect(api.process.stdout).not.toContain(tooLong);
});
