import type { ErrorBody } from '@ruyi/contracts';
import { keys } from '@ruyi/store';
import { describe, expect, test } from 'vitest';
import { type Endpoint, endpoints, withField } from './endpoints.ts';
import { type Answer, fresh, testSystem, unfinishedJobs } from './harness.ts';

// No worker: whatever is queued stays.
const system = testSystem();

/** Ignores what a process reports about itself every few seconds. */
const written = async () => ({
  keys: (await system.redis.client.keys('*')).filter((key) => !key.startsWith(keys.reports)).sort(),
  jobs: await unfinishedJobs(system.redis),
});

/** A refused request queues and writes nothing, and the API goes on. */
async function refused(ask: () => Promise<Answer<ErrorBody>>, status: number, code: string, msg = /./) {
  const before = await written();
  const answer = await ask();
  expect({ status: answer.status, code: answer.body.code, msg: answer.body.msg }).toEqual({
    status,
    code,
    msg: expect.stringMatching(msg),
  });
  expect(answer.body.status).toBe(status);
  expect(answer.headers.get('x-request-id')).toMatch(/^[\x21-\x7e]{1,128}$/);
  expect(await written()).toEqual(before);
  expect((await system.get('/health')).status).toBe(200);
  return answer;
}

function ask({ method, path }: Endpoint, input: Record<string, unknown>): Promise<Answer<ErrorBody>> {
  if (method === 'POST') return system.post(path, input);
  const given = Object.entries(input).flatMap(([name, value]) => (value === undefined ? [] : [[name, String(value)]]));
  return system.get(path, Object.fromEntries(given));
}

describe.each(endpoints)('$title refuses', (endpoint) => {
  const rows = Object.entries(endpoint.fields).flatMap(([path, { wrong }]) =>
    wrong.map((row) => ({ ...row, path, name: `${path}: ${row.why}` })),
  );
  test.each(rows)('$name', async ({ path, value, status = 400 }) => {
    const request = withField(endpoint, path, value);
    const code = status === 413 ? 'payload_too_large' : 'invalid_request';
    const answer = await refused(() => ask(endpoint, request), status, code, new RegExp(`^${path}(\\.\\d+)?: `));
    if (status === 400) expect(answer.body.errors?.map((issue) => issue.path)[0]).toMatch(new RegExp(`^${path}`));
  });
});

describe('fields that do not go together', () => {
  const group = { channel_id: 'room', channel_type: 2 };
  const personal = { channel_id: 'ann', channel_type: 1 };
  const tooMany = { message_seqs: new Array(400).fill(1), message_ids: new Array(601).fill(1) };
  test.each([
    [
      'a send to a channel and to subscribers',
      '/message/send',
      { ...group, subscribers: ['u'], payload: 'YQ==' },
      'subscribers',
    ],
    ['a send to nobody', '/message/send', { payload: 'YQ==' }, 'channel_id'],
    ['a send to no subscribers', '/message/send', { payload: 'YQ==', subscribers: [] }, 'channel_id'],
    ['a send to "" and no type', '/message/send', { payload: 'YQ==', channel_id: '' }, 'channel_id'],
    ['a send without a type', '/message/send', { payload: 'YQ==', channel_id: 'room' }, 'channel_type'],
    ['a send to type 0', '/message/send', { payload: 'YQ==', channel_id: 'room', channel_type: 0 }, 'channel_type'],
    ['a personal channel without its reader', '/channel/messagesync', personal, 'login_uid'],
    ['messages of a personal channel without its reader', '/messages', personal, 'login_uid'],
    ['more than 1,000 messages', '/messages', { ...group, ...tooMany }, 'names more than 1000 messages'],
  ])('%s', async (_, path, body, msg) => {
    await refused(() => system.post(path, body), 400, 'invalid_request', new RegExp(`^${msg}`));
  });

  test('a query for a personal channel without its reader', async () => {
    const query = { channel_id: 'ann', channel_type: '1' };
    await refused(() => system.get('/channel/max_message_seq', query), 400, 'invalid_request', /^login_uid: /);
  });

  test('a query that gives a field twice', async () => {
    const path = '/channel/info?channel_id=a&channel_id=b&channel_type=2';
    await refused(() => system.get(path), 400, 'invalid_request', /^channel_id: /);
  });

  test('every broken field is listed, the first one in msg', async () => {
    const message = { setting: -1, channel_id: '@', channel_type: 2, expire: 'x' };
    const answer = await refused(() => system.post('/message/send', message), 400, 'invalid_request', /^setting: /);
    expect(answer.body.errors?.map(({ path }) => path)).toEqual(['setting', 'channel_id', 'payload', 'expire']);
  });
});

const paths = [...new Set(endpoints.map(({ path }) => path)), '/health', '/message/sendbatch/123'];
const methodsOf = (path: string) =>
  path === '/health' || path === '/message/sendbatch/123'
    ? ['GET']
    : [...new Set(endpoints.filter((endpoint) => endpoint.path === path).map(({ method }) => method))];
const posts = paths.filter((path) => methodsOf(path).includes('POST'));

describe.each(posts)('POST %s refuses a body that', (path) => {
  test.each([
    ['is empty', ''],
    ['is cut off', '{"uid":"u"'],
    ['goes on after its end', '{"uid":"u"}}'],
    ['is an array', '[{"uid":"u"}]'],
    ['is null', 'null'],
    ['is a number', '5'],
    ['is a string', '"uid"'],
    ['is not UTF-8', Buffer.from([0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d])],
    ['is UTF-16', Buffer.from('{"uid":"u"}', 'utf16le')],
    ['is a form', 'uid=u&payload=YQ%3D%3D'],
    ['is nested without end', '['.repeat(100_000)],
  ])('%s', async (_, body) => {
    await refused(() => system.post(path, body), 400, 'invalid_json', /body/);
  });

  test('is compressed', async () => {
    await refused(() => system.post(path, '{}', { 'content-encoding': 'gzip' }), 400, 'invalid_json', /gzip/);
  });

  test('is 20 MiB', async () => {
    const body = `{"uid":"${'u'.repeat(20 * 1024 * 1024)}"}`;
    await refused(() => system.post(path, body), 413, 'payload_too_large', /body/);
  });

  test('hides its fields under __proto__', async () => {
    const valid = endpoints.find((endpoint) => endpoint.path === path)?.valid;
    const body = `{"__proto__":${JSON.stringify(valid)}}`;
    await refused(() => system.post(path, body), 400, 'invalid_request', / is required/);
  });
});

describe('routes', () => {
  const wrong = paths.flatMap((path) =>
    ['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS']
      .filter((method) => !methodsOf(path).includes(method as 'GET'))
      .map((method) => ({ method, path })),
  );
  test.each(wrong)('$method $path is not allowed', async ({ method, path }) => {
    const answer = await refused(() => system.request(method, path), 405, 'method_not_allowed', new RegExp(method));
    expect(answer.headers.get('allow')?.split(', ').sort()).toEqual(methodsOf(path).sort());
  });

  test.each([
    ['GET', '/'],
    ['POST', '/message'],
    ['POST', '/message/sent'],
    ['POST', '/Message/Send'],
    ['POST', '/message/send/x'],
    ['GET', '/message/sendbatch/1/2'],
    ['PUT', '/__proto__'],
  ])('%s %s is unknown', async (method, path) => {
    await refused(() => system.request(method, path), 404, 'not_found');
  });

  test.each(['1', 'x', '__proto__', '9'.repeat(200), '%00', '%F0%9F%98%80'])('batch %s is unknown', async (no) => {
    await refused(() => system.get(`/message/sendbatch/${no}`), 404, 'not_found', /^batch_no: /);
  });

  test('a path that is no valid URI is a bad request', async () => {
    await refused(() => system.get('/message/sendbatch/%E0%A4%A'), 400, 'invalid_request', /path/);
  });
});

describe('what is no mistake', () => {
  const accepted = (answer: Answer<ErrorBody>) => expect([answer.status, answer.body]).toEqual([200, answer.body]);
  const message = () => ({ channel_id: fresh('room'), channel_type: 2, payload: 'YQ==' });

  test.each(['text/plain', 'application/x-www-form-urlencoded', 'nonsense'])(
    'the content type %s does not matter',
    async (type) => {
      accepted(await system.post('/message/send', message(), { 'content-type': type }));
    },
  );

  test('a body needs no content type, and may say Content-Encoding: identity', async () => {
    accepted(await system.post('/message/send', Buffer.from(JSON.stringify(message()))));
    accepted(await system.post('/message/send', message(), { 'content-encoding': 'Identity' }));
  });

  test('unknown fields are ignored, __proto__ among them', async () => {
    // Each would be refused if it were taken for the field of that name.
    const more =
      '"more":[{}],"constructor":1,"__proto__":{"setting":-1},"header":{"__proto__":{"sync_once":5},"more":null}';
    accepted(await system.post('/message/send', JSON.stringify(message()).replace('{', `{${more},`)));
  });

  const optional = endpoints.flatMap((endpoint) =>
    Object.entries(endpoint.fields).flatMap(([path, { required }]) =>
      // The fields that name a send's recipients are optional only as long as one of them is there.
      required || endpoint.method === 'GET' || (path === 'subscribers' && 'payload' in endpoint.valid)
        ? []
        : [{ endpoint, path, title: endpoint.title }],
    ),
  );
  test.each(optional)('$title takes null and "" in the optional field $path as absent', async ({ endpoint, path }) => {
    for (const value of [null, '']) accepted(await system.post(endpoint.path, withField(endpoint, path, value)));
  });

  test('the channel type of a send to subscribers is ignored', async () => {
    for (const channel_type of [0, 1, 'x', null, -1]) {
      accepted(
        await system.post('/message/send', { subscribers: ['u'], channel_id: '', channel_type, payload: 'YQ==' }),
      );
    }
  });
});
