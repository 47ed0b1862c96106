import { evenShards, keys, type Shard, shardOf } from '@ruyi/store';
import { afterEach, beforeAll, expect, test } from 'vitest';
import { type Answer, base64, fresh, group, testSystem } from './harness.ts';

const system = testSystem(['worker', 'indexer'], { REQUIRE_KNOWN_USERS: '1' });
const shard = (name: string) => shardOf(name, evenShards(8));

/** A conversation: a group with one member, who also got a batch and a command batch from someone. */
interface Conversation {
  room: string;
  uid: string;
  sender: string;
  batch: string;
  commands: string;
  /** the key of the record of its first message's client_msg_no */
  idem: string;
}

const payload = base64({ type: 1, content: '你好' });
const idemKeys = async () => new Set(await system.redis.client.keys('r:*:idem:*'));

async function converse(): Promise<Conversation> {
  const [room, uid, sender] = [fresh('room'), fresh('bob'), fresh('ann')];
  for (const one of [uid, sender]) await system.post('/user/token', { uid: one, token: 't' });
  await system.post('/channel', { ...group(room), subscribers: [uid] });
  const before = await idemKeys();
  for (let i = 0; i < 3; i++) {
    await system.store({ ...group(room), from_uid: sender, payload, ...(i === 0 ? { client_msg_no: 'no-0' } : {}) });
  }
  const idem = [...(await idemKeys())].find((key) => !before.has(key)) ?? expect.fail('no record');
  const batch = { from_uid: sender, subscribers: [uid], payload };
  const { body: messages } = await system.sendBatch(batch);
  const { body: commands } = await system.sendBatch({ ...batch, header: { sync_once: 1 } });
  await system.settled();
  return { room, uid, sender, batch: messages.batch_no, commands: commands.batch_no, idem };
}

type Ask = (conversation: Conversation) => Promise<Answer<{ code?: string; msg?: string }>>;
const text = (value: object) => Object.fromEntries(Object.entries(value).map(([name, one]) => [name, String(one)]));
const pair = ({ uid, sender }: Conversation) => ({ login_uid: uid, channel_id: sender, channel_type: 1 });

/** Every endpoint that reads or changes what belongs to a conversation. */
const ENDPOINTS = {
  messagesync: ({ room }) => system.post('/channel/messagesync', group(room)),
  messagesBySeq: ({ room }) => system.post('/messages', { ...group(room), message_seqs: [1, 2, 3] }),
  messagesByNo: ({ room }) => system.post('/messages', { ...group(room), client_msg_nos: ['no-0'] }),
  personalSync: (one) => system.post('/channel/messagesync', pair(one)),
  personalBySeq: (one) => system.post('/messages', { ...pair(one), message_seqs: [1] }),
  maxSeq: ({ room }) => system.get('/channel/max_message_seq', text(group(room))),
  sync: ({ uid }) => system.post('/message/sync', { uid }),
  syncack: ({ uid }) => system.post('/message/syncack', { uid, last_message_seq: 1 }),
  usersearch: ({ uid }) => system.post('/plugins/wk.plugin.search/usersearch', { uid }),
  info: ({ room }) => system.get('/channel/info', text(group(room))),
  putInfo: ({ room }) => system.post('/channel/info', group(room)),
  subscribers: ({ room }) => system.get('/channel/subscribers', text(group(room))),
  add: ({ room, uid }) => system.post('/channel/subscriber_add', { ...group(room), subscribers: [uid] }),
  reset: ({ room, uid }) => system.post('/channel', { ...group(room), subscribers: [uid], reset: 1 }),
  remove: ({ room, uid }) => system.post('/channel/subscriber_remove', { ...group(room), subscribers: [uid] }),
  delete: ({ room }) => system.post('/channel/delete', group(room)),
  token: ({ uid }) => system.post('/user/token', { uid, token: 't' }),
  progress: ({ batch }) => system.get(`/message/sendbatch/${batch}`),
  repeat: ({ room, sender }) =>
    system.post('/message/send', { ...group(room), from_uid: sender, payload, client_msg_no: 'no-0' }),
  batch: ({ uid }) => system.post('/message/sendbatch', { payload, subscribers: [uid] }),
  send: ({ room }) => system.post('/message/send', { ...group(room), payload }),
} satisfies Record<string, Ask>;
type Name = keyof typeof ENDPOINTS;

const ofRoom = (key: (shard: Shard, channel: string) => string) => (one: Conversation) => {
  const channel = `2:${one.room}`;
  return key(shard(channel), channel);
};
const ofMember = (key: (shard: Shard, name: string) => string) => (one: Conversation) => key(shard(one.uid), one.uid);
const subscribersKey = ({ room, uid }: Conversation) => keys.subscribers(shard(uid), `2:${room}`);
const hash = (fields: Record<string, string>) => (key: string) => system.redis.client.hset(key, fields);
const text1 = (value: string) => (key: string) => system.redis.client.set(key, value);
const entry = async (key: string) => {
  await system.redis.client.zremrangebyscore(key, 2, 2);
  await system.redis.client.zadd(key, 2, 'neither JSON nor a reference');
};
const fields = async (key: string) => {
  await system.redis.client.zremrangebyscore(key, 2, 2);
  await system.redis.client.zadd(key, 2, '["1",2,3]');
};
const element = (key: string) => system.redis.client.lset(key, 0, '[1,2');

/** Replaces a key by one of another type: a list, or a string if it was a list. */
async function wrongType(key: string): Promise<void> {
  const { client } = system.redis;
  const isList = (await client.type(key)) === 'list';
  await client.del(key);
  if (isList) await client.set(key, 'x');
  else await client.rpush(key, 'x');
}

type Row = [
  what: string,
  key: (one: Conversation) => string,
  damage: (key: string) => Promise<unknown>,
  corrupt: Name[],
];
const LOG: Name[] = ['messagesync', 'messagesBySeq', 'messagesByNo'];
const BODY: Name[] = ['personalSync', 'personalBySeq'];

const rows: Row[] = [
  ['the log is of another type', ofRoom(keys.log), wrongType, [...LOG, 'maxSeq']],
  ['an entry is no message', ofRoom(keys.log), entry, LOG],
  ['an entry has fields of other types', ofRoom(keys.log), fields, LOG],
  ['the seq is of another type', ofRoom(keys.seq), wrongType, ['maxSeq']],
  ['the seq is no number', ofRoom(keys.seq), text1('x'), ['maxSeq']],
  ['the seq is below zero', ofRoom(keys.seq), text1('-7'), ['maxSeq']],
  ['the inbox is of another type', ofMember(keys.inbox), wrongType, ['sync', 'syncack']],
  ['a command is no message', ofMember(keys.inbox), element, ['sync']],
  ['the seq of the inbox is of another type', ofMember(keys.inboxSeq), wrongType, ['sync', 'syncack']],
  ['the seq of the inbox is no number', ofMember(keys.inboxSeq), text1('1.5'), ['sync', 'syncack']],
  ['the cursor is of another type', ofMember(keys.cursor), wrongType, ['sync', 'syncack']],
  ['the cursor is no number', ofMember(keys.cursor), text1('x'), ['sync', 'syncack']],
  ['subscribers are of another type', subscribersKey, wrongType, ['subscribers', 'add', 'reset', 'remove', 'delete']],
  [
    'the groups are of another type',
    ofMember(keys.groups),
    wrongType,
    ['usersearch', 'add', 'reset', 'remove', 'delete'],
  ],
  ['the info is of another type', ofRoom(keys.channel), wrongType, ['info', 'putInfo', 'add', 'reset']],
  ['the info is no flag', ofRoom(keys.channel), hash({ ban: 'x' }), ['info']],
  ['the user is of another type', ofMember(keys.user), wrongType, ['token']],
  ['the list of users is of another type', ({ uid }) => keys.users(shard(uid)), wrongType, ['token', 'batch']],
  ['a body is of another type', ({ batch }) => keys.body(batch), wrongType, BODY],
  ['a body is no JSON', ({ batch }) => keys.body(batch), hash({ m: '{' }), BODY],
  ['a body has no sender', ({ batch }) => keys.body(batch), hash({ m: '{"kind":"batch"}' }), BODY],
  ['the body of a command is no JSON', ({ commands }) => keys.body(commands), hash({ m: '[]' }), ['sync']],
  ['the progress is of another type', ({ batch }) => keys.progress(batch), wrongType, ['progress']],
  ['the progress has no plan', ({ batch }) => keys.progress(batch), hash({ plan: '[1]' }), ['progress']],
  ['the progress is no number', ({ batch }) => keys.progress(batch), hash({ '=h': 'x' }), ['progress']],
  ['a record of a client_msg_no is of another type', ({ idem }) => idem, wrongType, ['repeat']],
  ['a record of a client_msg_no is none', ({ idem }) => idem, text1('x:y'), ['repeat']],
];

let other: Conversation;
let healed: () => Promise<unknown> = async () => {};
beforeAll(async () => {
  other = await converse();
});
afterEach(() => healed());

test.each(rows)('where %s, that is said by what reads it, and nothing else is hurt', async (...row) => {
  const [, keyOf, damage, corrupt] = row;
  const one = await converse();
  const key = keyOf(one);
  const { client } = system.redis;
  const dump = await client.dumpBuffer(key);
  healed = () => (dump === null ? client.del(key) : client.restore(key, 0, dump, 'REPLACE'));
  await damage(key);
  for (const [name, ask] of entriesOf(ENDPOINTS)) {
    const { status, body } = await ask(one);
    const seen = `${name}: ${status} ${JSON.stringify(body)}`;
    if (corrupt.includes(name)) {
      expect(seen).toMatch(/: 500 .*"code":"corrupt"/);
      expect(
        [one.room, one.uid, one.batch, one.sender, 'users', 'client_msg_no'].some((word) => body.msg?.includes(word)),
        seen,
      ).toBe(true);
      // A search leaves out the hit.
    } else expect(seen).toMatch(/: 200 /);
  }
  await healed();
  const answers = entriesOf(ENDPOINTS).filter(([name]) => name !== 'delete');
  for (const [name, ask] of answers) expect([name, (await ask(other)).status]).toEqual([name, 200]);
  await system.settled();
  expect((await system.get('/health')).status).toBe(200);
});

const entriesOf = (endpoints: typeof ENDPOINTS): [Name, Ask][] =>
  Object.entries(endpoints).flatMap(([name, ask]) => (isName(name) ? [[name, ask]] : []));
const isName = (name: string): name is Name => name in ENDPOINTS;
