import { type MessageBody, type MessageObject, parseChannelName, peerOf, SYSTEM_UID } from '@ruyi/contracts';
import { DamagedError } from './damage.ts';

/**
 * What a log or an inbox holds for a message: all of it as a JSON array, or, for a recipient of a broadcast,
 * `<ref>.<position>`. `ref` is the broadcast's first message_id in base 36; the body is stored once under it.
 */
export type Entry =
  | { kind: 'inline'; body: MessageBody; to?: string }
  | { kind: 'reference'; ref: string; position: number };

type Fields = [
  id: number,
  ts: number,
  from: string,
  no: string,
  payload: string,
  red?: number,
  set?: number,
  exp?: number,
  topic?: string,
  stream?: string,
  to?: string,
];

/** `to`: only in an inbox, whose owner may be the sender of a personal command. Holds no seq: see invariant 1. */
export function encodeEntry(body: MessageBody, to?: string): string {
  const { id, ts, from, no, payload, red = 0, set = 0, exp = 0, topic = '', stream = '' } = body;
  const fields: Fields = [id, ts, from, no, payload, red, set, exp, topic, stream];
  if (to !== undefined) fields.push(to);
  while (fields.length > 5 && (fields.at(-1) === 0 || fields.at(-1) === '')) fields.pop();
  return JSON.stringify(fields);
}

/** @throws DamagedError if it is not an entry */
export function decodeEntry(text: string): Entry {
  if (text.startsWith('[')) return decodeInline(text);
  const [, ref, position] = REFERENCE.exec(text) ?? [];
  if (ref === undefined) throw new DamagedError('an entry is neither a message nor a reference');
  return { kind: 'reference', ref, position: Number(position) };
}

/** The reference in an entry; undefined for a message and for a damaged entry, neither of which refers to a body. */
export function referenceIn(text: string): { ref: string; position: number } | undefined {
  const [, ref, position] = REFERENCE.exec(text) ?? [];
  return ref === undefined ? undefined : { ref, position: Number(position) };
}

const REFERENCE = /^([0-9a-z]{1,11})\.(\d{1,10})$/;

function decodeInline(text: string): Entry {
  const fields = parseJson(text);
  if (!isFields(fields)) throw new DamagedError('an entry is no message');
  const [id, ts, from, no, payload, red = 0, set = 0, exp = 0, topic = '', stream = '', to] = fields;
  const body = { id, ts, from, no, payload, red, set, exp, topic, stream };
  return to === undefined ? { kind: 'inline', body } : { kind: 'inline', body, to };
}

/** @throws DamagedError */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new DamagedError('it is no JSON');
  }
}

const FIELD_TYPES = 'number number string string string number number number string string string'.split(' ');

const isFields = (value: unknown): value is Fields =>
  Array.isArray(value) &&
  value.length >= 5 &&
  value.length <= FIELD_TYPES.length &&
  value.every((field, i) => typeof field === FIELD_TYPES[i]) &&
  Number.isSafeInteger(value[0]);

/** The name under which a broadcast's body, progress and entries are stored; also its batch_no. */
export const refOf = (firstId: number): string => firstId.toString(36);
export const firstIdOf = (ref: string): number => Number.parseInt(ref, 36);
export const isRef = (text: string): boolean => /^[0-9a-z]{1,11}$/.test(text);

/** Whether a message must not be read any more (docs/api.md §2, `expire`); `now` in seconds. */
export const isExpired = (body: MessageBody, now: number): boolean => !!body.exp && body.ts + body.exp <= now;

/** The message object of the contract (docs/api.md §1). */
export function toMessage(
  body: MessageBody,
  place: { seq: number; channelId: string; channelType: number; command: boolean },
): MessageObject {
  return {
    header: { no_persist: 0, red_dot: body.red === 1 ? 1 : 0, sync_once: place.command ? 1 : 0 },
    setting: body.set ?? 0,
    message_id: body.id,
    message_idstr: String(body.id),
    client_msg_no: body.no,
    message_seq: place.seq,
    from_uid: body.from === SYSTEM_UID ? '' : body.from,
    channel_id: place.channelId,
    channel_type: place.channelType,
    topic: body.topic ?? '',
    expire: body.exp ?? 0,
    timestamp: body.ts,
    payload: body.payload,
    ...(body.stream ? { stream_no: body.stream } : {}),
  };
}

/** channel_id of a message in a log: the recipient as it was sent (docs/api.md §1). */
export function logChannelId(channel: string, channelType: number, from: string): string {
  return channelType === 1 ? peerOf(channel, from) : parseChannelName(channel).channelId;
}
