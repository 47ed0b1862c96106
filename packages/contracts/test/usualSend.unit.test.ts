import { requestSchemas, usualSend } from '@ruyi/contracts';
import fc from 'fast-check';
import { expect, test } from 'vitest';

const limits = { maxPayloadBytes: 64, maxRecipients: 3 };
const schema = requestSchemas(limits).Send;

const USUAL = { from_uid: 'ann', channel_id: 'g1', channel_type: 2, payload: 'YQ==', client_msg_no: 'n1' };

const NAMES = [
  'a',
  '张三',
  '😀'.repeat(128),
  '😀'.repeat(129),
  'x'.repeat(128),
  'x'.repeat(129),
  '',
  'a@b',
  'a#b',
  'a\u0000',
  '\ud800',
];
const OTHERS = [undefined, null, 0, 1, 2, -1, 1.5, '1', true, [], {}, ['a'], { a: 1 }];
const FLAGS = [undefined, null, '', 0, -0, 1, 2, '1', true];
const LABELS = ['n1', '', 'x'.repeat(128), '😀'.repeat(128), 'x'.repeat(129), '\udc00', 'a\nb'];
const PAYLOADS = [
  'YQ==',
  'YQ',
  'YR==',
  'YQ=',
  'Y',
  '====',
  'YWI=',
  'YWJj',
  'a b=',
  'YQ==\n',
  'A'.repeat(84),
  'A'.repeat(88),
  '',
];
const TYPES = [1, 2, 255, 256, 0, -1, 1.5, 2.0, Number.NaN, '2', 1e300];

const oneOf = (...values: unknown[]) => fc.constantFrom(...values, ...OTHERS);
/** Seven of eight values are what the field usually has, so that many inputs are right in all of their fields. */
const usually = (usual: unknown, ...values: unknown[]) =>
  fc.oneof({ weight: 7, arbitrary: fc.constant(usual) }, oneOf(...values));
const header = fc.oneof(
  fc.record(
    {
      no_persist: fc.constantFrom(...FLAGS),
      red_dot: fc.constantFrom(...FLAGS),
      sync_once: fc.constantFrom(...FLAGS),
      other: fc.constant(7),
    },
    { requiredKeys: [] },
  ),
  fc.record({ no_persist: fc.constantFrom(0, 1), red_dot: fc.constantFrom(0, 1), sync_once: fc.constantFrom(0, 1) }),
  oneOf(),
);
const input = fc.record(
  {
    header: fc.oneof({ weight: 3, arbitrary: fc.constant(undefined) }, header),
    from_uid: usually('ann', ...NAMES),
    channel_id: usually('g1', ...NAMES),
    channel_type: usually(2, ...TYPES),
    payload: usually('YQ==', ...PAYLOADS),
    client_msg_no: usually('n1', ...LABELS),
    setting: usually(undefined, 255, 256),
    stream_no: usually(undefined, ...LABELS),
    subscribers: usually(undefined, ['a'], ['a@b']),
    topic: usually(undefined, ...LABELS),
    expire: usually(undefined, 60, 2 ** 32),
    unknown_field: fc.constant({ kept: 'by nobody' }),
  },
  { requiredKeys: ['channel_id', 'channel_type', 'payload'] },
);

test('whatever is recognized, the schema reads in the same way', () => {
  let recognized = 0;
  const check = (given: Record<string, unknown>) => {
    const read = usualSend(given, limits);
    if (read === undefined) return;
    recognized++;
    expect({ given, read: schema.safeParse(given).data }).toStrictEqual({ given, read });
  };
  fc.assert(fc.property(input, check), { numRuns: 20_000 });
  expect(recognized).toBeGreaterThan(500);
});

test.each<[string, object]>([
  ['with all usual fields', {}],
  ['without a client_msg_no', { client_msg_no: undefined }],
  ['from the system', { from_uid: undefined }],
  ['to a user', { channel_type: 1 }],
  ['with a header', { header: { red_dot: 1 } }],
  ['a command', { header: { no_persist: 0, red_dot: 0, sync_once: 1 } }],
  ['with a field that nobody knows', { device: 'phone' }],
  ['with unpadded base64', { payload: 'YQ' }],
])('a message %s is recognized', (_, more) => {
  expect(usualSend({ ...USUAL, ...more }, limits)).toStrictEqual(schema.parse({ ...USUAL, ...more }));
});

test('a payload that is a byte too long is left to the schema', () => {
  const [fits, tooLong] = [64, 65].map((bytes) => Buffer.alloc(bytes).toString('base64'));
  expect(usualSend({ ...USUAL, payload: fits }, limits)).toBeDefined();
  expect(usualSend({ ...USUAL, payload: tooLong }, limits)).toBeUndefined();
});
