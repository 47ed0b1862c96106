import { type FieldSpan, fieldsOf, scanJson, stringAt } from '@ruyi/search';

/** The parts of a usersearch answer, or of an error, that the command shows. */
export interface ShownAnswer {
  msg?: string;
  total: number;
  truncated: boolean;
  messages: ShownMessage[];
}

interface ShownMessage {
  timestamp: number;
  channel_id: string;
  channel_type: number;
  message_seq: number;
  from_uid: string;
  /** the payload's JSON text; parsing it would lose digits, duplicate keys and the order of keys */
  payload: string;
}

/** 100 levels of the payload, plus its message, the list and the answer around it. */
const MAX_DEPTH = 103;

/** @returns undefined if the bytes are not a JSON object */
export function parseAnswer(bytes: Buffer): ShownAnswer | undefined {
  const answer = membersOf(bytes);
  if (!answer) return undefined;
  const text = (name: string) => answer.get(name)?.toString() ?? 'null';
  const msg: unknown = JSON.parse(text('msg'));
  return {
    ...(typeof msg === 'string' ? { msg } : {}),
    total: Number(JSON.parse(text('total')) ?? 0),
    truncated: JSON.parse(text('truncated')) === true,
    messages: elementsOf(answer.get('messages')).map(messageOf),
  };
}

function messageOf(bytes: Buffer): ShownMessage {
  const members = membersOf(bytes);
  const value = (name: string): unknown => JSON.parse(members?.get(name)?.toString() ?? 'null');
  return {
    timestamp: Number(value('timestamp')),
    channel_id: String(value('channel_id')),
    channel_type: Number(value('channel_type')),
    message_seq: Number(value('message_seq')),
    from_uid: String(value('from_uid')),
    payload: payloadOf(members?.get('payload')),
  };
}

/** With SEARCH_PAYLOAD=base64 the payload is a base64 string. */
function payloadOf(value: Buffer | undefined): string {
  if (!value) return '{}';
  const isBase64 = value[0] === 0x22;
  return isBase64 ? Buffer.from(stringAt(value, 0, value.length), 'base64').toString() : value.toString();
}

/** The members of a JSON object, each as its JSON text. */
function membersOf(bytes: Buffer): Map<string, Buffer> | undefined {
  const members = new Map<string, Buffer>();
  const kind = scanJson(bytes, MAX_DEPTH, (_, start, end, nameStart, nameEnd) => {
    if (nameEnd > nameStart) members.set(stringAt(bytes, nameStart, nameEnd), bytes.subarray(start, end));
  });
  return kind === 'object' ? members : undefined;
}

function elementsOf(bytes: Buffer | undefined): Buffer[] {
  const spans: Pick<FieldSpan, 'start' | 'end'>[] = [];
  const kind = bytes && scanJson(bytes, MAX_DEPTH, (_, start, end) => spans.push({ start, end }));
  return bytes && kind === 'array' ? spans.map(({ start, end }) => bytes.subarray(start, end)) : [];
}

/** The readable text of a payload: its `content`, or the whole payload if it has none. */
export function readableText(payload: string): string {
  const content = fieldsOf(Buffer.from(payload))?.get('content');
  return content?.kind === 'string' ? stringAt(Buffer.from(payload), content.start, content.end) : payload;
}
