import type { ScopeClause, SearchDocument, SearchQuery } from '@ruyi/search';
import { broadcast, group, groupId, inGroup, NOW, personal, topic, user } from './documents.ts';

/** One search, and the ids that it must find, written by hand. Their order is checked if there is no text. */
export interface SearchCase {
  name: string;
  query: Partial<SearchQuery>;
  found?: string[];
}

const at = (timestamp: number) => ({ timestamp });

/** Everything that ann may find, and much that she must not. */
export const filterDocuments: SearchDocument[] = [
  personal('toBob', 'ann', 'bob', {
    text: { content: 'hello 北京' },
    payloadType: 1,
    topic: topic('sport'),
    ...at(1010),
  }),
  personal('fromBob', 'bob', 'ann', { text: { content: '北京大学 hello' }, payloadType: 1, ...at(1020) }),
  personal('toCarl', 'ann', 'carl', { text: { content: 'a picture' }, payloadType: 2, ...at(1030) }),
  personal('toSelf', 'ann', 'ann', { text: { content: 'note: 北京' }, payloadType: 1, ...at(1040) }),
  personal('bobCarl', 'bob', 'carl', { text: { content: 'hello 北京' }, payloadType: 1, ...at(1050) }),
  inGroup('bobInClub', 'bob', 'club', {
    text: { content: 'hello club' },
    payloadType: 1,
    topic: topic('sport'),
    ...at(1060),
  }),
  inGroup('annInClub', 'ann', 'club', { text: { content: '去北京' }, payloadType: 2, ...at(1070) }),
  inGroup('carlInTeam', 'carl', 'team', {
    text: { content: 'hello team' },
    payloadType: 1,
    topic: topic('Sport'),
    ...at(1080),
  }),
  inGroup('bobInRoom', 'bob', 'club', { text: { content: 'hello room 北京' }, payloadType: 1, ...at(1090) }, 3),
  inGroup('bobInSecret', 'bob', 'secret', { text: { content: 'hello 北京' }, payloadType: 1, ...at(1100) }),
  inGroup('annInLeft', 'ann', 'left', { text: { content: 'hello, I leave' }, payloadType: 1, ...at(1110) }),
  inGroup('bobInLeft', 'bob', 'left', { text: { content: 'hello, she left' }, payloadType: 1, ...at(1115) }),
  broadcast('news', 'press', ['bob', 'ann', 'carl'], {
    text: { content: 'hello 北京 news' },
    payloadType: 1,
    topic: topic('sport'),
    ...at(1120),
  }),
  broadcast('holes', 'press', ['', 'ann'], { text: { content: 'hello holes' }, payloadType: 2, ...at(1130) }),
  broadcast('toOthers', 'press', ['bob', 'carl'], { text: { content: 'hello 北京' }, payloadType: 1, ...at(1140) }),
  broadcast('byAnn', 'ann', ['bob', 'carl'], { text: { content: 'hello from ann' }, payloadType: 1, ...at(1150) }),
  broadcast('byAnnToAll', 'ann', ['bob', 'ann'], { text: { content: 'hello 北京' }, payloadType: 1, ...at(1160) }),
  personal('expired', 'bob', 'ann', {
    text: { content: 'hello 北京' },
    payloadType: 1,
    expiresAt: NOW - 1,
    ...at(1170),
  }),
  personal('expiresNow', 'bob', 'ann', {
    text: { content: 'hello 北京' },
    payloadType: 1,
    expiresAt: NOW,
    ...at(1180),
  }),
  personal('expiresNext', 'bob', 'ann', {
    text: { content: 'hello 北京' },
    payloadType: 1,
    expiresAt: NOW + 1,
    ...at(1190),
  }),
  personal('otherAnn', 'Ann', 'bob', { text: { content: 'hello 北京' }, payloadType: 1, ...at(1200) }),
  personal('bytes', 'bob', 'ann', at(1210)),
  personal('typeZero', 'bob', 'ann', { payloadType: 0, ...at(1220) }),
  personal('typeNegative', 'bob', 'ann', { payloadType: -3, ...at(1230) }),
  personal('typeHuge', 'bob', 'ann', { payloadType: Number.MAX_SAFE_INTEGER, ...at(1240) }),
];

/** What ann may see now: her own messages and those of her groups. */
const MINE = [user('ann'), group('club'), group('team'), group('club', 3)];
/** All of it, newest first. */
const ALL_MINE = [
  ...['typeHuge', 'typeNegative', 'typeZero', 'bytes', 'expiresNext', 'byAnnToAll', 'holes', 'news', 'annInLeft'],
  ...['bobInRoom', 'carlInTeam', 'annInClub', 'bobInClub', 'toSelf', 'toCarl', 'fromBob', 'toBob'],
];
const withBob: ScopeClause[] = [
  { from: user('bob'), audience: user('ann'), channelType: 1 },
  { from: user('ann'), audience: user('bob'), channelType: 1 },
];

const without = (...ids: string[]) => ALL_MINE.filter((id) => !ids.includes(id));
const asAnn = (name: string, query: Partial<SearchQuery>, found: string[]): SearchCase => ({
  name,
  query: { audience: MINE, ...query },
  found,
});

/** Single filters, each with a list of found ids written by hand. */
export const filterCases: SearchCase[] = [
  asAnn('nothing but the user finds all that is hers, newest first', {}, ALL_MINE),
  asAnn('one audience', { audience: [user('ann')] }, without('bobInRoom', 'carlInTeam', 'bobInClub')),
  asAnn('one group', { audience: [group('team')] }, ['carlInTeam']),
  asAnn('a group of the same id and another type', { audience: [group('club', 3)] }, ['bobInRoom']),
  asAnn('no audience', { audience: [] }, []),
  asAnn('an audience that nobody is', { audience: [user('nobody')] }, []),
  asAnn('the empty audience, which is not that of a copy that is gone', { audience: [''] }, []),
  asAnn('a user of the same letters in another case', { audience: [user('Ann')] }, ['otherAnn']),
  asAnn('a user of the same letters with a space', { audience: [user('ann ')] }, []),
  asAnn('a user whose name begins the same', { audience: [user('an')] }, []),
  asAnn('the same audience twice', { audience: [group('team'), group('team')] }, ['carlInTeam']),
  asAnn('no clause at all', { anyOf: [] }, []),
  asAnn('a clause that says nothing', { anyOf: [{}] }, []),
  asAnn('a clause that says nothing beside one that does', { anyOf: [{}, { channel: group('team') }] }, ['carlInTeam']),
  asAnn('a clause by sender', { anyOf: [{ from: user('press') }] }, ['holes', 'news']),
  asAnn('a clause by audience', { anyOf: [{ audience: user('carl') }] }, ['news', 'carlInTeam', 'toCarl']),
  asAnn('a clause by channel', { anyOf: [{ channel: group('club') }] }, ['annInClub', 'bobInClub']),
  asAnn('a clause by the id of a channel', { anyOf: [{ channelId: groupId('club') }] }, [
    'bobInRoom',
    'annInClub',
    'bobInClub',
  ]),
  asAnn('a clause by the type of a channel', { anyOf: [{ channelType: 3 }] }, ['bobInRoom']),
  asAnn('all parts of a clause', { anyOf: [{ channelId: groupId('club'), channelType: 2, from: user('ann') }] }, [
    'annInClub',
  ]),
  asAnn('parts of a clause that exclude each other', { anyOf: [{ channel: group('club'), channelType: 3 }] }, []),
  asAnn('several clauses', { anyOf: [{ channel: group('team') }, { from: user('press') }] }, [
    'holes',
    'news',
    'carlInTeam',
  ]),
  asAnn('the conversation with a peer', { audience: [user('ann'), user('bob')], anyOf: withBob }, [
    ...['typeHuge', 'typeNegative', 'typeZero', 'bytes', 'expiresNext', 'byAnnToAll', 'byAnn', 'fromBob', 'toBob'],
  ]),
  asAnn('a channel that is not hers by a clause', { anyOf: [{ channel: group('secret') }] }, []),
  asAnn(
    'what she sent into a group that she left',
    { anyOf: [{ channelId: groupId('left'), audience: user('ann') }] },
    ['annInLeft'],
  ),
  asAnn('one payload type', { payloadTypes: [2] }, ['holes', 'annInClub', 'toCarl']),
  asAnn('several payload types', { payloadTypes: [2, 0, 7] }, ['typeZero', 'holes', 'annInClub', 'toCarl']),
  asAnn('payload type 0, which a payload without one does not have', { payloadTypes: [0] }, ['typeZero']),
  asAnn('a negative payload type', { payloadTypes: [-3] }, ['typeNegative']),
  asAnn('the largest payload type', { payloadTypes: [Number.MAX_SAFE_INTEGER] }, ['typeHuge']),
  asAnn('a neighbour of the largest payload type', { payloadTypes: [Number.MAX_SAFE_INTEGER - 1] }, []),
  asAnn('a payload type that does not occur', { payloadTypes: [99] }, []),
  asAnn('a sender', { from: user('press') }, ['holes', 'news']),
  asAnn('a sender in another case', { from: user('Press') }, []),
  asAnn('a topic', { topic: topic('sport') }, ['news', 'bobInClub', 'toBob']),
  asAnn('a topic in another case', { topic: topic('Sport') }, ['carlInTeam']),
  asAnn('a type of channel', { channelType: 2 }, ['annInLeft', 'carlInTeam', 'annInClub', 'bobInClub']),
  asAnn('a type of channel that does not occur', { channelType: 255 }, []),
  asAnn('a start, which is included', { startTime: 1230 }, ['typeHuge', 'typeNegative']),
  asAnn('a start after everything', { startTime: 1241 }, []),
  asAnn('an end, which is included', { endTime: 1020 }, ['fromBob', 'toBob']),
  asAnn('an end before everything', { endTime: 1009 }, []),
  asAnn('a start and an end that are the same', { startTime: 1070, endTime: 1070 }, ['annInClub']),
  asAnn('a start after the end', { startTime: 1071, endTime: 1070 }, []),
  asAnn('a moment at which nothing has expired', { now: NOW - 2, startTime: 1160, endTime: 1190 }, [
    ...['expiresNext', 'expiresNow', 'expired', 'byAnnToAll'],
  ]),
  asAnn('the second in which a message expires', { now: NOW + 1, startTime: 1160, endTime: 1190 }, ['byAnnToAll']),
  asAnn(
    'all filters together',
    {
      ...{ anyOf: [{ channel: group('club') }], payloadTypes: [1], from: user('bob'), topic: topic('sport') },
      ...{ channelType: 2, startTime: 1060, endTime: 1060, text: { content: 'club' } },
    },
    ['bobInClub'],
  ),
  asAnn('text beside filters', { text: { content: '北京' }, payloadTypes: [1], channelType: 1, from: user('ann') }, [
    'byAnnToAll',
    'toSelf',
    'toBob',
  ]),
  asAnn('text that is only in what is not hers', { text: { content: 'she' } }, []),
];

const FILTERS: [name: string, filter: Partial<SearchQuery>][] = [
  ['only her own uid', { audience: [user('ann')] }],
  ['her groups', { audience: MINE.slice(1) }],
  ['the conversation with bob', { anyOf: withBob }],
  ['a group by its id', { anyOf: [{ channelId: groupId('club') }, { channelId: groupId('left') }] }],
  ['payload type 1', { payloadTypes: [1] }],
  ['payload types 0 and 2', { payloadTypes: [0, 2] }],
  ['from bob', { from: user('bob') }],
  ['from herself', { from: user('ann') }],
  ['a topic', { topic: topic('sport') }],
  ['personal messages', { channelType: 1 }],
  ['group messages', { channelType: 2 }],
  ['a start', { startTime: 1060 }],
  ['an end', { endTime: 1120 }],
  ['an earlier moment', { now: NOW - 10 }],
  ['a Latin word', { text: { content: 'hello' } }],
  ['a Chinese word', { text: { content: '北京' } }],
  ['a page', { offset: 1, limit: 3, text: {} }],
];

/** Each filter combined with each other filter that uses other parts of the query. */
export const pairCases: SearchCase[] = FILTERS.flatMap(([name, filter], i) =>
  FILTERS.slice(i + 1)
    .filter(([, other]) => !Object.keys(other).some((part) => part in filter))
    .map(([otherName, other]) => ({
      name: `${name} and ${otherName}`,
      query: { audience: MINE, locate: [user('ann'), user('carl')], ...filter, ...other },
    })),
);
