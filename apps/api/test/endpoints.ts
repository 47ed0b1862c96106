import { base64 } from './harness.ts';

/** A value that is refused, and why. `undefined` leaves the field out. */
interface Wrong {
  why: string;
  value: unknown;
  status?: 413;
}

interface Field {
  required: boolean;
  wrong: Wrong[];
}

/** An endpoint with a request that it accepts, and the fields of docs/api.md §2 and §3 with their bounds. */
export interface Endpoint {
  title: string;
  method: 'GET' | 'POST';
  path: string;
  valid: Record<string, unknown>;
  fields: Record<string, Field>;
}

const MAX_SEQ = 2 ** 32 - 1;
const MAX_RECIPIENTS = 100_000;
const MAX_PAYLOAD_BYTES = 256 * 1024;

const because = (why: string, ...values: unknown[]): Wrong[] =>
  values.map((value) => ({ why: `${why} ${JSON.stringify(value)?.slice(0, 24)}`, value }));
const types = (...values: unknown[]) => because('wrong type', ...values);
const field = (required: boolean, wrong: Wrong[], absent: unknown[] = [undefined, null, '']): Field => ({
  required,
  wrong: [...(required ? because('missing', ...absent) : []), ...wrong],
});

const NOT_NAMES = [
  ...because('too long', 'u'.repeat(129), '😀'.repeat(129)),
  ...because('control character', 'a\u0000', 'a\nb', '\u007f', 'a\u0085'),
  ...because('illegal character', 'a@b', '#a', 'a&'),
  ...because('lone surrogate', '\ud800', 'a\udc00b', '\ude00\ud83d'),
];
const name = (required = false) => field(required, [...types(5, true, {}, ['a']), ...NOT_NAMES]);
const label = () =>
  field(false, [
    ...types(5, true, {}, ['a']),
    ...because('too long', 'x'.repeat(129)),
    ...because('lone surrogate', '\ud83d', 'a\udc00'),
  ]);
const flag = () => field(false, [...types('1', true, {}, [1]), ...because('out of bounds', -1, 2, 0.5)]);
const whole = (min: number, max: number, required = false) =>
  field(required, [
    ...types('5', true, {}, [5]),
    ...because('no whole number', 1.5),
    ...because('out of bounds', min - 1, max + 1, 1e300),
  ]);
const limit = () => whole(0, Number.MAX_SAFE_INTEGER);
const time = () => field(false, [...limit().wrong, ...because('milliseconds', 10 ** 11, Date.UTC(2026))]);
const anyWhole = () => field(false, [...types('5', true, {}, [5]), ...because('no whole number', 1.5)]);
const payload = () =>
  field(true, [
    ...types(5, true, {}, ['YQ==']),
    ...because(
      'broken base64',
      'Y',
      'YQ=',
      'YQ===',
      '==',
      'YQ==YQ==',
      'YQ ==',
      'YQ==\n',
      '_-8=',
      'é',
      'YWJj=',
      '\ud800',
    ),
    { why: 'too large', value: base64('x'.repeat(MAX_PAYLOAD_BYTES + 1)), status: 413 },
  ]);
const tooMany = { why: '100,001 of them', value: new Array(MAX_RECIPIENTS + 1).fill('u') };
const uids = (required: boolean) =>
  field(
    required,
    [
      ...types('u', 5, true, {}),
      ...because('no string', ['u', 5], [null], [['u']], [{}]),
      ...because('too long to be listed', ['u', 'u'.repeat(257)], ['😀'.repeat(257)]),
      tooMany,
    ],
    [undefined, null, []],
  );
const strictUids = (required: boolean) => {
  const { wrong } = uids(required);
  return { required, wrong: [...wrong, ...because('empty', ['']), ...NOT_NAMES.map(inList)] };
};
const inList = ({ why, value }: Wrong): Wrong => ({ why: `${why} in a list`, value: ['u', value] });
const list = (...wrongItems: unknown[]) =>
  field(false, [...types('x', 5, true, {}), ...because('item of a wrong type', ...wrongItems.map((item) => [item]))]);
const object = () => field(false, types('x', 5, true, []));
const type = (required = true) => whole(1, 255, required);
const groupType = () => ({ required: true, wrong: [...type().wrong, ...because('personal', 1)] });

/** In a query everything is text. */
const queryName = (required = true) =>
  field(required, [...NOT_NAMES.filter(({ why }) => !why.startsWith('lone'))], [undefined, '']);
const queryWhole = (required: boolean, ...wrong: string[]) =>
  field(required, because('no whole number in bounds', 'x', '1.5', '-1', '0x2', '1e1', ' 2', ...wrong), [
    undefined,
    '',
  ]);

/** `[]` is PHP's empty object there. */
const header = {
  header: field(false, types('x', 5, true, [1])),
  'header.no_persist': flag(),
  'header.red_dot': flag(),
  'header.sync_once': flag(),
};
const message = {
  ...header,
  setting: whole(0, 255),
  from_uid: name(),
  payload: payload(),
  client_msg_no: label(),
  topic: label(),
  expire: whole(0, MAX_SEQ),
};
const info = { large: flag(), ban: flag(), disband: flag(), send_ban: flag(), allow_stranger: flag() };
const group = { channel_id: 'room', channel_type: 2 };
const channel = { channel_id: name(true), channel_type: type() };
const members = { channel_id: name(true), channel_type: groupType() };

const post = (path: string, valid: Record<string, unknown>, fields: Record<string, Field>, about = ''): Endpoint => ({
  title: `POST ${path}${about}`,
  method: 'POST',
  path,
  valid,
  fields,
});
const get = (path: string, valid: Record<string, unknown>, fields: Record<string, Field>): Endpoint => ({
  title: `GET ${path}`,
  method: 'GET',
  path,
  valid,
  fields,
});

export const endpoints: Endpoint[] = [
  post('/message/send', { ...group, payload: 'YQ==' }, { ...message, stream_no: label(), ...channel }, ' to a channel'),
  post('/message/send', { subscribers: ['u'], payload: 'YQ==' }, { subscribers: strictUids(false) }, ' to subscribers'),
  post('/message/sendbatch', { subscribers: ['u'], payload: 'YQ==' }, { ...message, subscribers: uids(true) }),
  post('/channel/messagesync', group, {
    ...channel,
    login_uid: name(),
    start_message_seq: whole(0, MAX_SEQ),
    end_message_seq: whole(0, MAX_SEQ),
    limit: limit(),
    pull_mode: flag(),
  }),
  post('/message/sync', { uid: 'u' }, { uid: name(true), limit: limit(), message_seq: whole(0, MAX_SEQ) }),
  post(
    '/message/syncack',
    { uid: 'u', last_message_seq: 1 },
    { uid: name(true), last_message_seq: whole(0, MAX_SEQ, true) },
  ),
  post(
    '/plugins/wk.plugin.search/usersearch',
    { uid: 'u' },
    {
      uid: name(true),
      payload: object(),
      'payload.content': field(false, [...types(5, true, {}, ['x']), ...because('too long', 'x'.repeat(4097))]),
      payload_types: field(false, [
        ...list('1', 1.5, null, {}).wrong,
        ...because('101 of them', new Array(101).fill(1)),
      ]),
      from_uid: name(),
      channel_id: name(),
      channel_type: whole(0, 255),
      topic: label(),
      limit: anyWhole(),
      page: anyWhole(),
      start_time: time(),
      end_time: time(),
      highlights: field(false, [
        ...list(5, null, {}, 'h'.repeat(257)).wrong,
        ...because(
          '33 of them',
          Array.from({ length: 33 }, (_, i) => `payload.${i}`),
        ),
      ]),
    },
  ),
  post('/channel', group, { ...members, subscribers: strictUids(false), reset: flag(), ...info }),
  post('/channel/info', group, { ...channel, ...info }),
  get('/channel/info', group, { channel_id: queryName(), channel_type: queryWhole(true, '0', '256') }),
  post(
    '/channel/subscriber_add',
    { ...group, subscribers: ['u'] },
    { ...members, subscribers: strictUids(true), reset: flag() },
  ),
  post('/channel/subscriber_remove', { ...group, subscribers: ['u'] }, { ...members, subscribers: strictUids(true) }),
  get('/channel/subscribers', group, {
    channel_id: queryName(),
    channel_type: queryWhole(true, '0', '1', '256'),
    cursor: field(false, because('not a cursor from an earlier answer', 'x', '-', '12345-a', 'a-1')),
    limit: queryWhole(false, '99999999999999999'),
  }),
  post('/channel/delete', group, channel),
  post(
    '/user/token',
    { uid: 'u', token: 't' },
    {
      uid: name(true),
      token: field(true, [...types(5, true, {}, ['t']), ...because('too long', 't'.repeat(513))]),
      device_flag: whole(0, 255),
      device_level: whole(0, 255),
    },
  ),
  get('/channel/max_message_seq', group, {
    channel_id: queryName(),
    channel_type: queryWhole(true, '0', '256'),
    login_uid: queryName(false),
  }),
  post(
    '/messages',
    { ...group, message_seqs: [1] },
    {
      ...channel,
      login_uid: name(),
      message_seqs: list('1', 1.5, -1, MAX_SEQ + 1, null),
      message_ids: list('1', 1.5, -1, 2 ** 53, null),
      client_msg_nos: list(5, null, {}),
    },
  ),
];

/** The endpoint's valid request with one field, `payload.content` inside its object, set or left out. */
export function withField({ valid }: Endpoint, path: string, value: unknown): Record<string, unknown> {
  const [outer = '', inner] = path.split('.');
  return { ...valid, [outer]: inner === undefined ? value : { [inner]: value } };
}
