import { accessKey, type SearchDocument, type SearchQuery } from '@ruyi/search';

/** The time at which the contract's searches are made; other times are relative to it. */
export const NOW = 1_700_000_000;

export const user = (uid: string) => accessKey('uid', uid);
export const group = (id: string, type = 2) => accessKey('channel', `${type}:${id}`);
export const groupId = (id: string) => accessKey('channel_id', id);
export const topic = (name: string) => accessKey('topic', name);

type Content = Partial<SearchDocument> | string;

let made = 0;

/** The common fields. Each document is a second newer than the previous one; the oldest is a thousand seconds old. */
function base(id: string, content: Content): Omit<SearchDocument, 'audience' | 'from'> & Partial<SearchDocument> {
  made++;
  return {
    id,
    channel: '',
    channelId: '',
    channelType: 1,
    topic: '',
    timestamp: NOW - 100_000 + made,
    expiresAt: 0,
    order: 1_000_000 + made,
    locator: JSON.stringify({ of: id, q: '"\\' }),
    text: typeof content === 'string' ? { content } : {},
    ...(typeof content === 'string' ? {} : content),
  };
}

/** A message between two users: both may find it. */
export const personal = (id: string, from: string, to: string, content: Content = {}): SearchDocument => ({
  audience: [...new Set([user(from), user(to)])],
  from: user(from),
  ...base(id, content),
});

/** A message in a group: its subscribers and its sender may find it. */
export const inGroup = (id: string, from: string, name: string, content: Content = {}, type = 2): SearchDocument => ({
  audience: [group(name, type), user(from)],
  from: user(from),
  ...base(id, content),
  channel: group(name, type),
  channelId: groupId(name),
  channelType: type,
});

/** A chunk of a broadcast: its recipients may find it, but not its sender; '' stands for a copy that is gone. */
export const broadcast = (id: string, from: string, to: string[], content: Content = {}): SearchDocument => ({
  audience: to.map((uid) => (uid === '' ? '' : user(uid))),
  from: user(from),
  ...base(id, content),
});

/** Completes the parts of a query that a case gives. */
export const queryOf = (part: Partial<SearchQuery>): SearchQuery => ({
  audience: [],
  text: {},
  payloadTypes: [],
  startTime: 0,
  endTime: 0,
  now: NOW,
  offset: 0,
  limit: 1000,
  locate: [],
  ...part,
});
