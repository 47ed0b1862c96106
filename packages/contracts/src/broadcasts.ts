import { z } from 'zod';
import type { BroadcastState } from './broadcastAnswers.ts';
import {
  digits,
  label,
  optional,
  payload,
  type RequestLimits,
  RequiredChannelType,
  Uid,
  whole,
  withDefault,
} from './fields.ts';
import { Header } from './header.ts';
import { CHANNEL_TYPE_PERSONAL, MAX_SEQ, SYSTEM_UID } from './ids.ts';
import { defaultsTo, inputSchemaOf } from './jsonSchema.ts';

/** Every state, for the schema (docs/api.md §4). */
export const BROADCAST_STATES = [
  'open',
  'scheduled',
  'running',
  'paused',
  'done',
  'cancelled',
  'failed',
] as const satisfies BroadcastState[];

/** Highest number of a part. */
export const MAX_PART = 99_999;
const MAX_RATE = 1_000_000_000;

const knownUsers = z.object({ known_users: z.literal(true, { error: 'must be true' }) });
const channel = z.object({
  channel_id: Uid,
  channel_type: RequiredChannelType.refine((type) => type !== CHANNEL_TYPE_PERSONAL, {
    error: 'a personal channel (1) has no subscribers',
  }).meta({ minimum: 2 }),
});
const namesBoth = (given: object) => 'known_users' in given && 'channel_id' in given;
const audience = z
  .looseObject({}, { error: 'must be an object' })
  .refine((given) => !namesBoth(given), { error: 'name either known_users or a channel, not both', abort: true })
  .refine((given) => 'known_users' in given || 'channel_id' in given, {
    error: 'is {"known_users":true} or {"channel_id","channel_type"}',
    abort: true,
  })
  .transform((given, context) => {
    const parsed = ('known_users' in given ? knownUsers : channel).safeParse(given);
    if (parsed.success) return parsed.data;
    for (const { message, path } of parsed.error.issues) context.addIssue({ code: 'custom', message, path });
    return z.NEVER;
  })
  .meta({ anyOf: [inputSchemaOf(knownUsers), inputSchemaOf(channel)] });

/** Requests about broadcasts (docs/api.md §4). */
export const broadcastSchemas = (limits: RequestLimits) => ({
  BroadcastCreate: z.object({
    name: label,
    header: Header.refine((header) => header.no_persist === 0, {
      path: ['no_persist'],
      error: 'must be 0: a broadcast is stored; use sendbatch for what is not',
    }),
    setting: withDefault(whole(0, 255), 0),
    from_uid: withDefault(Uid, SYSTEM_UID),
    payload: payload(limits.maxPayloadBytes),
    topic: label,
    expire: withDefault(whole(0, MAX_SEQ), 0),
    client_msg_no: label,
    rate: withDefault(whole(0, MAX_RATE), 0),
    start_at: withDefault(whole(0, Number.MAX_SAFE_INTEGER), 0),
    audience: optional(audience),
  }),
  BroadcastStart: z.object({ start_at: optional(whole(0, Number.MAX_SAFE_INTEGER)) }),
  BroadcastsQuery: z.object({
    state: optional(z.enum(BROADCAST_STATES, { error: `must be one of ${BROADCAST_STATES.join(', ')}` })),
    from_uid: optional(Uid),
    cursor: withDefault(
      z.string('must be a string').regex(/^[0-9a-z]{0,11}$/, 'is not a cursor from an earlier answer'),
      '',
    ),
    limit: withDefault(digits(0, Number.MAX_SAFE_INTEGER), 0)
      .transform((n) => Math.min(n === 0 ? 50 : n, 1000))
      .meta(defaultsTo(50)),
  }),
});
