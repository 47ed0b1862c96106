import { requestSchemas } from '@ruyi/contracts';
import { describe, expect, test } from 'vitest';

const schemas = requestSchemas({ maxPayloadBytes: 1024, maxRecipients: 10 });
const search = (more: object) => schemas.UserSearch.safeParse({ uid: 'u', ...more });
const messages = (more: object) => schemas.Messages.safeParse({ channel_id: 'g', channel_type: 2, ...more });
const send = (more: object) => schemas.Send.safeParse({ channel_id: 'g', channel_type: 2, payload: 'YQ==', ...more });

/** The issues that an answer would list; none if the request is accepted. */
const said = ({ error }: { error?: { issues: { path: PropertyKey[]; message: string }[] } | undefined }) =>
  (error?.issues ?? []).map(({ path, message }) => [...path, message].join(': '));
const fields = (count: number, value: unknown = 'x') =>
  Object.fromEntries(Array.from({ length: count }, (_, i) => [`f${i}`, value]));

describe('usersearch', () => {
  test('takes what is within its bounds', () => {
    const highlights = Array.from({ length: 32 }, (_, i) => `payload.${'😀'.repeat(240)}${i}`);
    const parsed = search({
      payload: fields(32, '主'.repeat(4096)),
      payload_types: new Array(100).fill(1),
      highlights: [...highlights, ...highlights],
      start_time: 10 ** 11 - 1,
      end_time: 10 ** 11 - 1,
    });
    expect(said(parsed)).toEqual([]);
    expect(parsed.data?.highlights).toEqual(highlights);
  });

  test.each([
    [
      '33 fields, before one is looked at',
      { payload: fields(33, 5) },
      'payload: names 33 fields, at most 32 are allowed',
    ],
    [
      'a field of 4,097 characters',
      { payload: { a: 'x', b: 'x'.repeat(4097) } },
      'payload: b: must be at most 4096 characters',
    ],
    ['two fields that are no strings, at the first', { payload: { a: 5, b: 5 } }, 'payload: a: must be a string'],
    [
      '101 types, before one is looked at',
      { payload_types: new Array(101).fill('x') },
      'payload_types: has 101 items, at most 100 are allowed',
    ],
    [
      'types that are no numbers, at the first',
      { payload_types: [1, 'x', 'x'] },
      'payload_types: 1: must be a whole number',
    ],
    ['33 highlights', { highlights: Object.keys(fields(33)) }, 'highlights: names more than 32 different texts'],
    [
      'a highlight of 257 characters',
      { highlights: ['x'.repeat(257)] },
      'highlights: 0: must be at most 256 characters',
    ],
    [
      'a start in milliseconds',
      { start_time: 10 ** 11 },
      'start_time: must be in seconds since 1970, below 100000000000; this looks like milliseconds',
    ],
    [
      'an end in milliseconds',
      { end_time: Date.UTC(2026) },
      'end_time: must be in seconds since 1970, below 100000000000; this looks like milliseconds',
    ],
  ])('refuses %s', (_, more, line) => {
    expect(said(search(more))).toEqual([line]);
  });

  test('takes channel_type 0 for none', () => {
    expect(search({ channel_type: 0 }).data).toEqual(search({}).data);
  });
});

describe('the lists of messages', () => {
  const sum = 'names more than 1000 messages in message_seqs, message_ids and client_msg_nos together';

  test('are counted together before anything is looked at', () => {
    const wrong = { channel_id: '@', message_seqs: new Array(400).fill(-1), message_ids: new Array(400).fill('x') };
    expect(said(messages({ ...wrong, client_msg_nos: new Array(201).fill(5) }))).toEqual([sum]);
    expect(said(messages({ message_seqs: new Array(1_000_000).fill(-1) }))).toEqual([sum]);
    const most = { message_seqs: new Array(400).fill(1), message_ids: new Array(600).fill(1), client_msg_nos: '' };
    expect(said(messages(most))).toEqual([]);
  });

  test('are refused at their first broken item each', () => {
    const wrong = { message_seqs: [1, -1, -1], message_ids: ['x', 'x'], client_msg_nos: [5, 5] };
    expect(said(messages(wrong))).toEqual([
      'message_seqs: 1: must be at least 0',
      'message_ids: 0: must be a whole number',
      'client_msg_nos: 0: must be a string',
    ]);
  });

  test.each([null, 5, 'x', []])('%j is no request', (request) => {
    expect(schemas.Messages.safeParse(request).success).toBe(false);
  });
});

test('a header that is an empty list counts as an empty object, one that is not as a mistake', () => {
  expect(send({ header: [] }).data).toEqual(send({ header: {} }).data);
  expect(said(send({ header: [] }))).toEqual([]);
  expect(said(send({ header: [1] }))).toEqual(['header: must be an object']);
});

test('a cursor names any uid', () => {
  const page = { channel_id: 'g', channel_type: '2', cursor: `12-${'😀'.repeat(128)}` };
  expect(said(schemas.SubscribersQuery.safeParse(page))).toEqual([]);
  expect(said(schemas.SubscribersQuery.safeParse({ ...page, cursor: `${page.cursor}x` }))).toHaveLength(1);
});
