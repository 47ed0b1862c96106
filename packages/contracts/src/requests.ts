import { z } from 'zod';
import { broadcastSchemas } from './broadcasts.ts';
import {
  ChannelId,
  digits,
  flag,
  isLonger,
  label,
  limit,
  list,
  optional,
  payload,
  type RequestLimits,
  RequiredChannelType,
  Seq,
  textSet,
  Uid,
  uidList,
  whole,
  withDefault,
} from './fields.ts';
import { Header } from './header.ts';
import { CHANNEL_TYPE_PERSONAL, MAX_SEQ, SYSTEM_UID } from './ids.ts';
import { defaultsTo, inputSchemaOf } from './jsonSchema.ts';

const expire = withDefault(whole(0, MAX_SEQ), 0);
const setting = withDefault(whole(0, 255), 0);
const sender = withDefault(Uid, SYSTEM_UID);
/** One POST /messages may name at most this many messages, in its three lists together. */
const MAX_MESSAGES = 1000;
const SEARCH = { fields: 32, characters: 4096, payloadTypes: 100, highlights: 32, highlightCharacters: 256 };
/** The year 5138 in seconds, 1973 in milliseconds. */
const MILLISECONDS_FROM = 10 ** 11;
const searchTime = withDefault(
  whole(0, Number.MAX_SAFE_INTEGER).refine((time) => time < MILLISECONDS_FROM, {
    error: `must be in seconds since 1970, below ${MILLISECONDS_FROM}; this looks like milliseconds`,
  }),
  0,
).meta({ maximum: MILLISECONDS_FROM - 1 });

const groupType = RequiredChannelType.refine((type) => type !== CHANNEL_TYPE_PERSONAL, {
  error: 'a personal channel (1) has no subscribers',
}).meta({ minimum: 2 });
const channelInfo = { large: flag(), ban: flag(), disband: flag(), send_ban: flag(), allow_stranger: flag() };
const isPresent = (value: unknown) => value !== undefined && value !== null;
const isChannelType = (value: unknown) => RequiredChannelType.safeParse(value).success;
/** Rules about recipients run even if other fields are broken, because an answer names every broken field. */
const recipientRule = {
  when: ({ issues }: { issues: { path?: PropertyKey[] | undefined }[] }) =>
    !issues.some(({ path }) => RECIPIENT_FIELDS.includes(String(path?.[0]))),
};
const RECIPIENT_FIELDS = ['channel_id', 'channel_type', 'subscribers'];
const loginForPersonal = {
  check: (request: { channel_type: number; login_uid?: string | undefined }) =>
    request.channel_type !== CHANNEL_TYPE_PERSONAL || request.login_uid !== undefined,
  params: { error: 'is required for a personal channel (channel_type 1)', path: ['login_uid'] },
};

/**
 * `payload` of usersearch: text by payload field. Blank values are skipped; a value that is not a string is refused. The
 * number of fields is checked before any of them is looked at; then the first broken one refuses it (docs/api.md §1).
 */
const SearchText = z
  .unknown()
  .transform(searchText)
  .meta({
    type: 'object',
    description: 'text by payload field, such as {"content":"hello"}; fields are ORed',
    additionalProperties: { type: 'string', maxLength: SEARCH.characters },
    maxProperties: SEARCH.fields,
  });

function searchText(given: unknown, context: z.RefinementCtx): Record<string, string> {
  const refuse = (message: string, path: string[] = []) => {
    context.addIssue({ code: 'custom', message, path });
    return z.NEVER;
  };
  // Not a z.record: that leaves out a field named __proto__, and without its text the search would find everything.
  const text: Record<string, string> = Object.create(null);
  if (typeof given !== 'object' || given === null || Array.isArray(given)) return refuse('must be an object');
  const fields = Object.entries(given);
  if (fields.length > SEARCH.fields)
    return refuse(`names ${fields.length} fields, at most ${SEARCH.fields} are allowed`);
  for (const [field, value] of fields) {
    if (value === null) continue;
    if (typeof value !== 'string') return refuse('must be a string', [field]);
    if (isLonger(value, SEARCH.characters)) return refuse(`must be at most ${SEARCH.characters} characters`, [field]);
    if (value.trim() !== '') text[field] = value;
  }
  return text;
}

/** How many messages a POST /messages names, counted before any of its lists is checked. */
function namedMessages(request: unknown): number {
  if (typeof request !== 'object' || request === null) return 0;
  const lists = ['message_seqs', 'message_ids', 'client_msg_nos'].map((name): unknown => Reflect.get(request, name));
  return lists.reduce((sum: number, list) => sum + (Array.isArray(list) ? list.length : 0), 0);
}

const namedMessagesSchema = z
  .object({
    login_uid: optional(Uid),
    channel_id: ChannelId,
    channel_type: RequiredChannelType,
    message_seqs: withDefault(list(Seq, MAX_MESSAGES), []),
    message_ids: withDefault(list(whole(0, Number.MAX_SAFE_INTEGER), MAX_MESSAGES), []),
    client_msg_nos: withDefault(list(z.string('must be a string'), MAX_MESSAGES), []),
  })
  .refine(loginForPersonal.check, loginForPersonal.params);

const strictUids = ({ maxRecipients }: RequestLimits, min: 0 | 1 = 0) =>
  uidList({ min, max: maxRecipients, strict: true });

/** POST /message/send, to one channel or to `subscribers`. */
const sendSchema = (limits: RequestLimits) =>
  z
    .object({
      header: Header,
      setting,
      from_uid: sender,
      stream_no: label,
      channel_id: optional(ChannelId),
      channel_type: z.unknown().optional().meta(inputSchemaOf(RequiredChannelType)),
      subscribers: strictUids(limits),
      payload: payload(limits.maxPayloadBytes),
      client_msg_no: label,
      topic: label,
      expire,
    })
    .refine((r) => r.channel_id !== undefined || r.subscribers.length > 0, {
      ...recipientRule,
      path: ['channel_id'],
      error: 'is required unless subscribers is given',
    })
    .refine((r) => r.channel_id === undefined || r.subscribers.length === 0, {
      ...recipientRule,
      path: ['subscribers'],
      error: 'give either channel_id or subscribers, not both',
    })
    .refine((r) => r.channel_id === undefined || isPresent(r.channel_type), {
      ...recipientRule,
      path: ['channel_type'],
      error: 'is required with channel_id',
    })
    .refine((r) => r.channel_id === undefined || !isPresent(r.channel_type) || isChannelType(r.channel_type), {
      ...recipientRule,
      path: ['channel_type'],
      error: 'must be a whole number from 1 to 255',
    })
    .transform(({ channel_id, channel_type, subscribers, ...message }) =>
      channel_id === undefined
        ? { ...message, subscribers }
        : { ...message, channel_id, channel_type: RequiredChannelType.parse(channel_type) },
    );

/** Requests that send or read messages (docs/api.md §2, §3). */
const messageSchemas = (limits: RequestLimits) => ({
  Send: sendSchema(limits),
  SendBatch: z.object({
    header: Header,
    setting,
    from_uid: sender,
    payload: payload(limits.maxPayloadBytes),
    subscribers: uidList({ min: 1, max: limits.maxRecipients, strict: false }),
    topic: label,
    expire,
    client_msg_no: label,
  }),
  MessageSync: z
    .object({
      login_uid: optional(Uid),
      channel_id: ChannelId,
      channel_type: RequiredChannelType,
      start_message_seq: withDefault(Seq, 0),
      end_message_seq: withDefault(Seq, 0),
      limit: limit(100, 10_000),
      pull_mode: flag(),
    })
    .refine(loginForPersonal.check, loginForPersonal.params),
  Sync: z.object({ uid: Uid, limit: limit(200, 10_000), message_seq: withDefault(Seq, 0) }),
  SyncAck: z.object({ uid: Uid, last_message_seq: Seq }),
  Messages: z
    .unknown()
    .refine((request) => namedMessages(request) <= MAX_MESSAGES, {
      error: `names more than ${MAX_MESSAGES} messages in message_seqs, message_ids and client_msg_nos together`,
      abort: true,
    })
    .pipe(namedMessagesSchema)
    .meta(inputSchemaOf(namedMessagesSchema)),
  MaxSeqQuery: z
    .object({ login_uid: optional(Uid), channel_id: ChannelId, channel_type: digits(1, 255) })
    .refine(loginForPersonal.check, loginForPersonal.params),
});

const searchSchemas = {
  UserSearch: z
    .object({
      uid: Uid,
      payload: withDefault(SearchText, {}),
      payload_types: withDefault(
        list(whole(Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER), SEARCH.payloadTypes),
        [],
      ),
      from_uid: optional(Uid),
      channel_id: optional(ChannelId),
      channel_type: withDefault(whole(0, 255), 0),
      topic: label,
      limit: withDefault(whole(Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER), 0).meta(defaultsTo(20)),
      page: withDefault(whole(Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER), 1),
      start_time: searchTime,
      end_time: searchTime,
      highlights: withDefault(textSet({ max: SEARCH.highlights, maxLength: SEARCH.highlightCharacters }), []),
    })
    .transform((search) => ({
      ...search,
      limit: search.limit >= 1 && search.limit <= 1000 ? search.limit : 20,
      page: Math.max(1, search.page),
    })),
};

/** Requests about channels and users (docs/api.md §3). */
const channelSchemas = (limits: RequestLimits) => ({
  ChannelPut: z.object({
    channel_id: ChannelId,
    channel_type: groupType,
    subscribers: strictUids(limits),
    reset: flag(),
    ...channelInfo,
  }),
  ChannelInfo: z.object({ channel_id: ChannelId, channel_type: RequiredChannelType, ...channelInfo }),
  ChannelQuery: z.object({ channel_id: ChannelId, channel_type: digits(1, 255) }),
  SubscriberAdd: z.object({
    channel_id: ChannelId,
    channel_type: groupType,
    subscribers: strictUids(limits, 1),
    reset: flag(),
  }),
  SubscriberRemove: z.object({
    channel_id: ChannelId,
    channel_type: groupType,
    subscribers: strictUids(limits, 1),
  }),
  SubscribersQuery: z.object({
    channel_id: ChannelId,
    channel_type: digits(2, 255),
    cursor: withDefault(
      z.string('must be a string').regex(/^\d{1,4}-.{0,128}$/su, 'is not a cursor from an earlier answer'),
      '0-',
    ),
    limit: withDefault(digits(0, Number.MAX_SAFE_INTEGER), 0)
      .transform((n) => Math.min(n === 0 ? 1000 : n, 10_000))
      .meta(defaultsTo(1000)),
  }),
  ChannelDelete: z.object({ channel_id: ChannelId, channel_type: RequiredChannelType }),
  UserToken: z.object({
    uid: Uid,
    token: z.string('must be a string').min(1, 'is required').max(512, 'must be at most 512 characters'),
    device_flag: withDefault(whole(0, 255), 0),
    device_level: withDefault(whole(0, 255), 0),
  }),
});

/** The schemas of every request body and query (docs/api.md §2, §3) within the configured bounds. */
export const requestSchemas = (limits: RequestLimits) => ({
  ...messageSchemas(limits),
  ...searchSchemas,
  ...channelSchemas(limits),
  ...broadcastSchemas(limits),
});

export type RequestSchemas = ReturnType<typeof requestSchemas>;
export type RequestName = keyof RequestSchemas;
/** A parsed request: defaults filled in, blanks gone, payload in canonical base64. */
export type Request<N extends RequestName> = z.output<RequestSchemas[N]>;
