import { gzipSync } from 'node:zlib';
import type { ErrorBody } from '@ruyi/contracts';
import { eachLimited } from '@ruyi/flow';
import { keys } from '@ruyi/store';
import { waitFor } from '@ruyi/testkit';
import { describe, expect, test } from 'vitest';
import { broadcasting } from './broadcasting.ts';
import { sizes } from './broadcastSizes.ts';
import { apiClient, fresh, names, startApiWith, testSystem, upTo } from './harness.ts';
import { begin, isStaged, leavesNothing, MANY } from './uploading.ts';

const system = testSystem([], { REQUIRE_KNOWN_USERS: '0' });
const { create, upload, act, show } = broadcasting(system);
const INVALID = '用户ID不合法';
const part = (accepted: number, duplicates: number, invalid: [line: number, uid: string][] = []) => ({
  part: 0,
  accepted,
  duplicates,
  invalid: invalid.map(([line, uid]) => ({ line, uid, reason: INVALID })),
  invalid_count: invalid.length,
});

test.each<[what: string, body: string | Uint8Array, answer: ReturnType<typeof part>]>([
  ['nothing', '', part(0, 0)],
  ['blank lines', '\n\n\r\n\n', part(0, 0)],
  ['one uid without a line end', 'a', part(1, 0)],
  ['CRLF', 'a\r\nb\r\n', part(2, 0)],
  ['a byte order mark', '\ufeffa\nb', part(2, 0)],
  ['blanks, which are kept', ' a \na\n', part(2, 0)],
  ['JSON strings', '"a"\n"\\u4f60"\n"b\\n"\n"', part(3, 0, [[3, 'b\n']])],
  ['repeats', 'a\nb\na\n"a"\n', part(4, 2)],
  [
    'invalid uids',
    'a@b\n#\nok\n',
    part(1, 0, [
      [1, 'a@b'],
      [2, '#'],
    ]),
  ],
  ['a line of 1 MB', `a\n${'x'.repeat(1e6)}\nb`, part(2, 0, [[2, 'x'.repeat(256)]])],
  ['a last line of 1 MB', `a\n${'x'.repeat(1e6)}`, part(1, 0, [[2, 'x'.repeat(256)]])],
  ['a uid of 129 characters', 'x'.repeat(129), part(0, 0, [[1, 'x'.repeat(129)]])],
  ['a uid of 128 characters outside the BMP', '😀'.repeat(128), part(1, 0)],
  ['broken UTF-8', Buffer.from([0x61, 0x0a, 0xff, 0xfe, 0x0a, 0x62]), part(2, 0, [[2, '��']])],
])('a part with %s', async (_, body, answer) => {
  for (const [bytes, headers] of [
    [body, {}],
    [gzipSync(body), { 'content-encoding': 'gzip' }],
  ] as const) {
    const no = await create();
    expect([(await upload(no, 0, bytes, headers)).body, (await show(no)).accepted]).toEqual([answer, answer.accepted]);
  }
});

test('more than 100 invalid lines are counted, and the first 100 are named', async () => {
  const { body } = await upload(
    await create(),
    1,
    upTo(250)
      .map(() => '@')
      .join('\n'),
  );
  expect([body.invalid_count, body.invalid.length, body.invalid.at(-1)?.line]).toEqual([250, 100, 100]);
});

test('a part once more with the same bytes gets the same answer and changes nothing; other bytes are 409', async () => {
  const no = await create();
  const bytes = 'a\nb\na\n@\n';
  const first = await upload(no, 3, bytes);
  expect((await upload(no, 3, gzipSync(bytes), { 'content-encoding': 'gzip' })).body).toEqual(first.body);
  const other = await upload(no, 3, `${bytes}c`);
  expect([other.status, other.body.code]).toEqual([409, 'idempotency_conflict']);
  expect(await show(no)).toMatchObject({ accepted: 3, duplicates: 1, invalid: 1 });
});

test.each(['100000', '-1', 'x', '1.5', '007007'])('part number %s is 400', async (number) => {
  const answer = await upload(await create(), number, 'a');
  expect([answer.status, answer.body.code]).toEqual([400, 'invalid_request']);
});

test('an unknown broadcast is 404, and so is a name that is none', async () => {
  for (const no of ['zzzz', 'NO', 'x'.repeat(40)]) {
    expect((await upload(no, 0, 'a')).status).toBe(404);
    expect((await act(no, 'start')).status).toBe(404);
    expect((await system.get(`/broadcasts/${no}`)).status).toBe(404);
    expect((await system.get(`/broadcasts/${no}/failures`)).status).toBe(404);
  }
});

test('what is no gzip, or ends early, is 400 and leaves nothing', async () => {
  const no = await create();
  const whole = gzipSync(names(5000, 'u').join('\n'));
  for (const bytes of [Buffer.from('plain'), whole.subarray(0, whole.length >> 1)]) {
    const answer = await upload(no, 0, bytes, { 'content-encoding': 'gzip' });
    expect([answer.status, answer.body.code]).toEqual([400, 'invalid_request']);
  }
  expect((await upload(no, 0, 'a', { 'content-encoding': 'br' })).status).toBe(400);
  await leavesNothing(system, no);
  expect((await upload(no, 0, whole, { 'content-encoding': 'gzip' })).body.accepted).toBe(5000);
});

test('an upload that is cut leaves nothing; meanwhile another one of its part is 409 busy', async () => {
  const no = await create();
  const upload0 = begin(system.address, no, MANY);
  await isStaged(system, no);
  const busy = await upload(no, 0, 'a');
  expect([busy.status, busy.body.code]).toEqual([409, 'busy']);
  expect((await upload(no, 1, '@')).status).toBe(200);
  upload0.cut();
  await waitFor(async () => (await upload(no, 0, '')).status === 200, { what: 'the part to be free' });
  expect(await show(no)).toMatchObject({ accepted: 0, invalid: 1 });
});

test('an upload that brings nothing is 408, however much it has brought before', async () => {
  const api = await startApiWith({ requestMs: 4000 }, { ...system.config, PORT: '0' });
  const [no, still] = [await create(), await create()];
  const late = begin(api.address, still, MANY);
  // Longer than the deadline of other requests, but never still for so long.
  const slow = begin(api.address, no, '');
  for (const uid of names(12, 'slow')) {
    const before = performance.now();
    await waitFor(() => performance.now() - before > 400);
    slow.write(`${uid}\n`);
  }
  slow.end();
  expect(await slow.answered).toEqual({ status: 200 });
  expect((await show(no)).accepted).toBe(12);
  expect(await late.answered).toEqual({ status: 408, code: 'timeout' });
  await leavesNothing(system, still);
  expect(await api.process.kill('SIGTERM')).toEqual({ code: 0, signal: null });
});

test('a broadcast that is started takes nothing more, and drops what is on its way', async () => {
  const no = await create();
  await upload(no, 1, 'a');
  const late = begin(system.address, no, MANY);
  await isStaged(system, no);
  expect((await act(no, 'start')).body.state).toBe('running');
  const refused = await upload(no, 2, 'b');
  expect([refused.status, refused.body.code]).toEqual([409, 'wrong_state']);
  late.end();
  expect(await late.answered).toEqual({ status: 409, code: 'wrong_state' });
  expect((await show(no)).accepted).toBe(1);
});

test('a broadcast with an audience takes no uploads', async () => {
  const no = await create({ audience: { known_users: true } });
  expect((await upload(no, 0, 'a')).body.code).toBe('wrong_state');
});

test('a gzip bomb costs what it stores', async () => {
  const no = await create();
  const { body } = await upload(no, 0, gzipSync(Buffer.alloc(20e6, 'a\n')), { 'content-encoding': 'gzip' });
  expect(body).toMatchObject({ accepted: 1e7, duplicates: 1e7 - 1 });
  const { body: long } = await upload(no, 1, gzipSync(Buffer.alloc(300e6)), { 'content-encoding': 'gzip' });
  expect(long).toMatchObject({ accepted: 0, invalid_count: 1 });
  const [list = ''] = await system.redis.client.keys(`r:*:bl:${no}`);
  expect(await system.redis.client.memory('USAGE', list)).toBeLessThan(1000);
});

describe('creation', () => {
  test.each<[object, string]>([
    [{ header: { no_persist: 1 } }, 'header.no_persist'],
    [{ rate: -1 }, 'rate'],
    [{ rate: 1.5 }, 'rate'],
    [{ start_at: 99_999_999_999 }, 'start_at'],
    [{ start_at: Math.floor(Date.now() / 1000) + 370 * 86_400 }, 'start_at'],
    [{ audience: {} }, 'audience'],
    [{ audience: 'all' }, 'audience'],
    [{ audience: { known_users: false } }, 'audience.known_users'],
    [{ audience: { known_users: true, channel_id: 'g', channel_type: 2 } }, 'audience'],
    [{ audience: { channel_id: 'g', channel_type: 1 } }, 'audience.channel_type'],
    [{ name: 'x'.repeat(129) }, 'name'],
    [{ payload: '' }, 'payload'],
  ])('%j is 400 and names %s', async (fields, path) => {
    const { status, body } = await system.post<ErrorBody>('/broadcasts', { payload: 'YQ==', ...fields });
    expect([status, body.code, body.errors?.[0]?.path]).toEqual([400, 'invalid_request', path]);
  });

  test('is repeated by its client_msg_no; another request with it is 409', async () => {
    const client_msg_no = fresh('key');
    const no = await create({ client_msg_no });
    const again = await system.post('/broadcasts', { from_uid: 'news', payload: 'YQ==', client_msg_no });
    expect([again.body, again.headers.get('idempotent-replayed')]).toEqual([
      { broadcast_no: no, state: 'open' },
      'true',
    ]);
    const other = await system.post('/broadcasts', { from_uid: 'news', payload: 'Yg==', client_msg_no });
    expect([other.status, other.body.code]).toEqual([409, 'idempotency_conflict']);
  });

  test('beyond MAX_OPEN_BROADCASTS is 429, until one is started or cancelled', async () => {
    const api = await startApiWith(
      {},
      { ...system.config, PORT: '0', MAX_OPEN_BROADCASTS: String(sizes.openBroadcasts) },
    );
    const client = apiClient(api.address);
    const before = await system.redis.client.scard(keys.openBroadcasts);
    const made: string[] = [];
    let status = 200;
    while (status === 200) {
      const answer = await client.post<{ broadcast_no: string }>('/broadcasts', { payload: 'YQ==' });
      ({ status } = answer);
      if (status === 200) made.push(answer.body.broadcast_no);
    }
    expect([status, made.length]).toEqual([429, sizes.openBroadcasts - before]);
    expect((await act(made.pop() ?? '', 'cancel')).body.state).toBe('cancelled');
    expect((await client.post('/broadcasts', { payload: 'YQ==' })).status).toBe(200);
    await eachLimited(made, 20, async (no) => void (await act(no, 'cancel')));
    expect(await api.process.kill('SIGTERM')).toEqual({ code: 0, signal: null });
  });
});

describe('states', () => {
  test('start without parts, and what does not fit the state, is 409 wrong_state; a repeat is not', async () => {
    const no = await create();
    for (const action of ['start', 'pause', 'resume', 'retry']) {
      const { status, body } = await act(no, action);
      expect([action, status, body.code]).toEqual([action, 409, 'wrong_state']);
    }
    await upload(no, 0, 'a');
    const again: Record<string, [string, string[]]> = {
      start: ['running', ['resume']],
      pause: ['paused', ['start', 'retry']],
      resume: ['running', ['retry']],
      cancel: ['cancelled', ['start', 'pause', 'resume', 'retry']],
    };
    for (const [action, [state, refused]] of Object.entries(again)) {
      for (const _ of upTo(2)) expect((await act(no, action)).body.state).toBe(state);
      for (const other of refused)
        if (other !== 'resume' || state !== 'running') expect((await act(no, other)).status).toBe(409);
    }
    expect(await show(no)).toMatchObject({ accepted: 1, total: 1, stored: 0, cancelled: 1 });
  });
});
