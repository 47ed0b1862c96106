import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { connect } from '@ruyi/redis';
import { evenShards, keys, shardOf } from '@ruyi/store';
import { startRedis, type TestProcess, type TestRedis, waitFor } from '@ruyi/testkit';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { NEEDED_COMMANDS } from '../packages/redis/src/neededCommands.ts';
import { root } from './docs/files.ts';
import { everyFlow, payload, sendTo, seqsOf, totalFound } from './everyFlow.ts';
import { type Installation, newInstallation } from './installation.ts';

/** The user of docs/redis.md may do everything that Ruyi does, and little else. */

const [, rules = ''] = /^ACL SETUSER ruyi (.*)$/m.exec(readFileSync(join(root, 'docs/redis.md'), 'utf8')) ?? [];
/** What a connection is opened and closed with; which of it is refused does not matter. */
const OF_CONNECTIONS =
  /^(hello|auth|select|quit|multi|exec|discard|subscribe|unsubscribe|client\|.*|info|acl\|.*|config\|.*)$/;

let redis: TestRedis;
let ruyi: Installation;
let up: TestProcess;

beforeAll(async () => {
  redis = await startRedis({ appendonly: true });
  await redis.client.call('ACL', 'SETUSER', 'ruyi', ...rules.replace('PASSWORD', 'hush').split(' '));
  await redis.client.config('RESETSTAT');
  ruyi = await newInstallation({
    REDIS_URL: `redis://ruyi:hush@127.0.0.1:${redis.port}`,
    LOG_RETENTION: '3',
    INBOX_KEEP: '1',
  });
  up = await ruyi.start();
});
afterAll(async () => {
  await ruyi.remove();
  await redis.stop();
});

test('sends, batches, reads and searches', () => everyFlow(ruyi));

test('commands: a personal one, one to a group, synced and acknowledged', async () => {
  const command = { header: { sync_once: 1 }, payload: payload('go') };
  await ruyi.post('/message/send', { ...command, subscribers: ['carl', 'dora'] });
  await ruyi.post('/message/send', { ...command, from_uid: 'ann', channel_id: 'room', channel_type: 2 });
  const sync = async (uid: string) => (await ruyi.post<unknown[]>('/message/sync', { uid })).body.length;
  for (const uid of ['carl', 'dora', 'bob'])
    await waitFor(async () => (await sync(uid)) === 1, { what: `the command of ${uid}` });
  expect((await ruyi.post('/message/syncack', { uid: 'carl', last_message_seq: 1 })).body).toEqual({ status: 200 });
  expect(await sync('carl')).toBe(0);
});

test('what is trimmed, expires, is repeated or is waited for', async () => {
  for (let i = 0; i < 6; i++) expect((await sendTo(ruyi, 'room', `more ${i}`)).status).toBe(200);
  expect((await sendTo(ruyi, 'room', 'more 5')).status).toBe(200);
  await waitFor(async () => (await seqsOf(ruyi, 'bob', 'room', 2)).at(-1) === 7, { what: 'the messages' });
  expect((await seqsOf(ruyi, 'bob', 'room', 2)).length).toBeLessThan(7);
});

test('users and channels', async () => {
  expect((await ruyi.post('/user/token', { uid: 'eve', token: 't' })).status).toBe(200);
  const room = { channel_id: 'room', channel_type: 2 };
  expect((await ruyi.post('/channel/subscriber_add', { ...room, subscribers: ['eve'] })).status).toBe(200);
  expect((await ruyi.post('/channel/subscriber_remove', { ...room, subscribers: ['eve'] })).status).toBe(200);
});

test('a dead letter is listed and put back', async () => {
  const key = keys.log(shardOf('2:broken', evenShards(64)), '2:broken');
  await redis.client.set(key, 'not a log');
  await sendTo(ruyi, 'broken', 'lost');
  const list = () => ruyi.ruyi('dead', 'list');
  await waitFor(async () => (await list()).output.includes('1 dead letter'), { what: 'the dead letter', everyMs: 500 });
  await redis.client.del(key);
  expect((await ruyi.ruyi('dead', 'retry', '--all')).output).toBe('1 put back\n');
  await waitFor(async () => (await seqsOf(ruyi, 'ann', 'broken', 2)).length === 1, { what: 'the message' });
});

test('reindex, status, metrics, the board', async () => {
  expect(await ruyi.ruyi('reindex')).toMatchObject({ code: 0 });
  await waitFor(async () => (await totalFound(ruyi, 'u499', 'broadcast')) === 1, { what: 'the broadcast to be found' });
  expect((await ruyi.ruyi('status')).output).toMatch(/worker/);
  expect(await (await fetch(`${ruyi.api}/metrics`)).text()).toContain('ruyi_');
  expect((await fetch(`${ruyi.board}/queues/api/queues`)).status).toBe(200);
});

test('nothing was refused but CONFIG, and every command is one that the probe asks for', async () => {
  expect(await up.kill('SIGTERM')).toEqual({ code: 0, signal: null });
  const log = await redis.client.call('ACL', 'LOG');
  const refused = Array.isArray(log) ? log.map((entry: string[]) => entry[entry.indexOf('object') + 1]) : ['?'];
  expect(refused.filter((command) => !/^(config\|get|client\|(setinfo|list))$/.test(String(command)))).toEqual([]);
  const stats = await redis.client.info('commandstats');
  const used = [...stats.matchAll(/^cmdstat_([^:]+):calls=\d+/gm)].map(([, name = '']) => name);
  const asked = NEEDED_COMMANDS.map((command) => command.split(' ')[0] ?? '');
  expect(used.filter((name) => !asked.includes(name) && !OF_CONNECTIONS.test(name))).toEqual([]);
});

test.each(['KEYS *', 'FLUSHALL', 'CONFIG SET maxmemory 1', 'SHUTDOWN', 'GET other', 'PUBLISH other 1', 'ACL LIST'])(
  'the user may not %s',
  async (command) => {
    const user = connect(`redis://ruyi:hush@127.0.0.1:${redis.port}`, 'request', 'test');
    user.on('error', () => {});
    const [name = '', ...args] = command.split(' ');
    await expect(user.call(name, ...args)).rejects.toThrow(/NOPERM/);
    user.disconnect();
  },
);
