import { keys } from '@ruyi/store';
import { waitFor } from '@ruyi/testkit';
import { beforeAll, describe, expect, test } from 'vitest';
import { type Answer, fresh, group, names, personal, type System, startApp, testSystem, upTo } from './harness.ts';

const system = testSystem(['worker']);
const draining = testSystem();

const room = fresh('room');
const gone = fresh('gone');
const channel = group(room);
const no = () => ({ payload: 'YQ==', client_msg_no: fresh('no') });
const UNSTORED = { header: { no_persist: 1 } };
let batchNo = '';

beforeAll(async () => {
  await system.post('/channel', { ...channel, subscribers: names(10, 'u') });
  await system.post('/channel', { ...group(gone), subscribers: names(10, 'u') });
  await system.send({ ...channel, payload: 'YQ==' });
  await system.send({ ...channel, header: { sync_once: 1 }, payload: 'YQ==' });
  batchNo = (await system.sendBatch({ payload: 'YQ==', subscribers: ['u1'] })).body.batch_no;
  await system.settled();
  await system.search({ uid: 'u1' });
  await fill(system, 0.9);
  await refuses(system);
});

/** Sets the memory that Redis may use so that what it uses now is this share of it. */
async function fill({ redis: { client } }: System, share: number): Promise<void> {
  const used = Number(/^used_memory:(\d+)/m.exec(await client.info('memory'))?.[1]);
  await client.config('SET', 'maxmemory', Math.floor(used / share));
}

const takes = (api: System) =>
  waitFor(async () => (await api.send({ ...channel, payload: 'YQ==' })).status === 200, {
    what: 'a write to be taken',
  });
const refuses = (api: System) =>
  waitFor(async () => (await api.send({ ...channel, payload: 'YQ==' })).status === 429, { what: 'a full Redis' });

const WRITES: [what: string, path: string, body: () => object][] = [
  ['a message', '/message/send', () => ({ ...channel, payload: 'YQ==' })],
  [
    'a personal command',
    '/message/send',
    () => ({ header: { sync_once: 1 }, channel_id: 'u1', channel_type: 1, ...no() }),
  ],
  ['a group command', '/message/send', () => ({ header: { sync_once: 1 }, ...channel, payload: 'YQ==' })],
  ['a key for what is stored nowhere', '/message/send', () => ({ ...channel, ...UNSTORED, ...no() })],
  [
    'a key for a command that nobody gets',
    '/message/send',
    () => ({ header: { sync_once: 1 }, channel_id: '____system', channel_type: 1, ...no() }),
  ],
  ['a message to subscribers', '/message/send', () => ({ subscribers: ['u1'], payload: 'YQ==' })],
  ['one to subscribers that is stored nowhere', '/message/send', () => ({ ...UNSTORED, subscribers: ['u1'], ...no() })],
  ['a batch', '/message/sendbatch', () => ({ subscribers: ['u1'], payload: 'YQ==' })],
  [
    'a batch that is stored nowhere',
    '/message/sendbatch',
    () => ({ ...UNSTORED, subscribers: ['u1'], payload: 'YQ==' }),
  ],
  ['a batch of which nothing is left', '/message/sendbatch', () => ({ subscribers: ['@'], payload: 'YQ==' })],
  ['a channel', '/channel', () => ({ ...group(fresh('room')), subscribers: ['u1'] })],
  ['info of a channel', '/channel/info', () => ({ ...group(fresh('room')), ban: 1 })],
  ['subscribers', '/channel/subscriber_add', () => ({ ...channel, subscribers: [fresh('u')] })],
  ['a user', '/user/token', () => ({ uid: fresh('u'), token: 't', device_flag: 0, device_level: 0 })],
];

const STILL_SERVED: [what: string, ask: () => Promise<Answer<unknown>>][] = [
  ['messagesync', () => system.post('/channel/messagesync', channel)],
  ['usersearch', () => system.post('/plugins/wk.plugin.search/usersearch', { uid: 'u1' })],
  ['sync', () => system.post('/message/sync', { uid: 'u1' })],
  ['messages', () => system.post('/messages', { ...channel, message_seqs: [1] })],
  ['max_message_seq', () => system.get('/channel/max_message_seq', { channel_id: room, channel_type: '2' })],
  ['the info of a channel', () => system.get('/channel/info', { channel_id: room, channel_type: '2' })],
  ['the subscribers of a channel', () => system.get('/channel/subscribers', { channel_id: room, channel_type: '2' })],
  ['the progress of a batch', () => system.get(`/message/sendbatch/${batchNo}`)],
  ['metrics', () => fetch(`${system.address}/metrics`).then(({ status, headers }) => ({ status, headers, body: '' }))],
  ['what is passed on and kept nowhere', () => system.send({ ...channel, ...UNSTORED, payload: 'YQ==' })],
  // These free memory.
  ['syncack', () => system.post('/message/syncack', { uid: 'u1', last_message_seq: 1 })],
  ['removing subscribers', () => system.post('/channel/subscriber_remove', { ...channel, subscribers: ['u9'] })],
  ['deleting a channel', () => system.post('/channel/delete', group(gone))],
];

describe('while Redis is over 80 % of its memory', () => {
  test.each(WRITES)('%s is refused, and nothing of it is kept', async (_, path, body) => {
    const { client } = system.redis;
    // What processes write and forget by themselves.
    const theirs: string[] = [keys.tended, keys.sweeper];
    const isTheirs = (key: string) => key.startsWith('r:{reports}') || theirs.includes(key);
    const keysNow = async () => (await client.keys('r:*')).filter((key) => !isTheirs(key)).sort();
    const before = await keysNow();
    const answer = await system.post(path, body());
    expect([answer.status, answer.body.code]).toEqual([429, 'overloaded']);
    expect(Number(answer.headers.get('retry-after'))).toBeGreaterThan(0);
    expect(await keysNow()).toEqual(before);
  });

  test.each(STILL_SERVED)('%s still works', async (_, ask) => {
    expect((await ask()).status).toBe(200);
  });

  test('below 80 % writes are taken again', async () => {
    await fill(system, 0.7);
    await takes(system);
    for (const [, path, body] of WRITES) expect((await system.post(path, body())).status).toBe(200);
    await system.settled();
  });
});

test('what was accepted before is stored while the API refuses more: that is what the rest of the memory is for', async () => {
  await draining.send({ ...channel, payload: 'YQ==', client_msg_no: 'before' });
  await draining.sendBatch({ subscribers: names(100, 'u'), payload: 'YQ==' });
  // The connections of a worker take more than a tenth of what an empty Redis uses.
  for (const _ of upTo(64)) await draining.redis.client.append('r:ballast', 'x'.repeat(1024 * 1024));
  await fill(draining, 0.85);
  await refuses(draining);
  const worker = await startApp('worker', draining.config);
  await draining.settled();
  expect((await draining.log(channel)).map(({ client_msg_no }) => client_msg_no)).toContain('before');
  expect(await draining.log(personal('u100', '____system'))).toHaveLength(1);
  expect(await worker.kill('SIGTERM')).toEqual({ code: 0, signal: null });
});
