import { canonicalBase64 } from './base64.ts';
import { isLonger, isWellFormed, type RequestLimits } from './fields.ts';
import { isName, SYSTEM_UID } from './ids.ts';
import type { Request } from './requests.ts';

/** A message to one channel. */
type ChannelSend = Extract<Request<'Send'>, { channel_id: string }>;

const isFlag = (value: unknown): value is 0 | 1 => value === 0 || value === 1;
/** Fields that the schema also takes in other forms, or that only rare messages have: absent here. */
const RARE = ['setting', 'stream_no', 'subscribers', 'topic', 'expire'] as const;

/**
 * Recognizes the usual message to one channel and reads it as the schema `Send` would, in a tenth of the time. It decides
 * nothing: whatever it does not recognize, among it all that is to be refused, is left to the schema.
 * @returns exactly what the schema makes of the input; undefined if the schema has to look
 */
export function usualSend(input: Record<string, unknown>, limits: RequestLimits): ChannelSend | undefined {
  const { channel_id, channel_type, payload, from_uid = SYSTEM_UID, client_msg_no = '' } = input;
  if (typeof channel_id !== 'string' || !isName(channel_id)) return undefined;
  if (typeof channel_type !== 'number' || !Number.isInteger(channel_type)) return undefined;
  if (channel_type < 1 || channel_type > 255) return undefined;
  if (typeof from_uid !== 'string' || !isName(from_uid)) return undefined;
  if (typeof client_msg_no !== 'string' || isLonger(client_msg_no, 128) || !isWellFormed(client_msg_no))
    return undefined;
  for (const field of RARE) if (input[field] !== undefined) return undefined;
  const header = usualHeader(input.header);
  const content = typeof payload === 'string' ? canonicalBase64(payload) : undefined;
  if (header === undefined || content === undefined || content.bytes > limits.maxPayloadBytes) return undefined;
  return {
    header,
    setting: 0,
    from_uid,
    stream_no: '',
    payload: content.text,
    client_msg_no,
    topic: '',
    expire: 0,
    channel_id,
    channel_type,
  };
}

function usualHeader(given: unknown): ChannelSend['header'] | undefined {
  if (given === undefined) return { no_persist: 0, red_dot: 0, sync_once: 0 };
  if (typeof given !== 'object' || given === null || Array.isArray(given)) return undefined;
  const { no_persist = 0, red_dot = 0, sync_once = 0 }: Record<string, unknown> = { ...given };
  return isFlag(no_persist) && isFlag(red_dot) && isFlag(sync_once) ? { no_persist, red_dot, sync_once } : undefined;
}
