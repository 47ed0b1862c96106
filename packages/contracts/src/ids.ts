/** The sender when `from_uid` is absent (docs/api.md §1). Shown as `""` in answers; has no inbox. */
export const SYSTEM_UID = '____system';
export const CHANNEL_TYPE_PERSONAL = 1;
export const MAX_SEQ = 2 ** 32 - 1;

/** 1-128 characters (code points), no control characters, none of `@ # &`, no lone surrogates (docs/api.md §1). */
const NAME = /^[^\p{Cc}\p{Cs}@#&]{1,128}$/u;
/** The same for JSON Schema. */
export const NAME_PATTERN = NAME.source;
export const NAME_RULE = 'must be 1-128 characters without control characters, @, # or &';

/** Whether a string may be a uid or a channel_id (docs/api.md §1). */
export const isName = (value: string): boolean => NAME.test(value);

/**
 * A channel's name in keys and jobs: `<type>:<id>`, or `1:<lower uid>@<higher uid>` for the personal channel of two users.
 * No uid may contain `@`, and the type is digits up to the first `:`, so no two channels have the same name.
 */
export function channelName(channelType: number, channelId: string, loginUid?: string): string {
  if (channelType !== CHANNEL_TYPE_PERSONAL) return `${channelType}:${channelId}`;
  const self = loginUid ?? SYSTEM_UID;
  return self < channelId ? `1:${self}@${channelId}` : `1:${channelId}@${self}`;
}

/** The parts of a channel's name. The id of a personal channel is both of its users: `<lower uid>@<higher uid>`. */
export function parseChannelName(name: string): { channelType: number; channelId: string } {
  const colon = name.indexOf(':');
  return { channelType: Number(name.slice(0, colon)), channelId: name.slice(colon + 1) };
}

/** The two users of a personal channel's name, or undefined for any other channel. */
export function personalPair(name: string): [string, string] | undefined {
  if (!name.startsWith('1:')) return undefined;
  const separator = name.indexOf('@');
  return [name.slice(2, separator), name.slice(separator + 1)];
}

/** The other user of a personal channel, seen from one of them. */
export function peerOf(name: string, uid: string): string {
  const pair = personalPair(name);
  if (!pair) throw new Error('not a personal channel');
  return pair[0] === uid ? pair[1] : pair[0];
}
