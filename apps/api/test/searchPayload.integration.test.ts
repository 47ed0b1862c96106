import { evenShards, keys, shardOf } from '@ruyi/store';
import { describe, expect, test } from 'vitest';
import { base64, fresh, group, names, startApi, testSystem } from './harness.ts';
import { contents, say, searching } from './searching.ts';

const system = testSystem(['worker', 'indexer']);
const { search, subscribe, userWhoReads } = searching(system);

/** The answer's text: parsed it would not show how numbers were written. */
async function answerText(address: string, request: object): Promise<string> {
  const answer = await fetch(`${address}/plugins/wk.plugin.search/usersearch`, {
    method: 'POST',
    body: JSON.stringify(request),
  });
  expect([answer.status, answer.headers.get('content-type')]).toEqual([200, 'application/json; charset=utf-8']);
  return answer.text();
}

describe('a payload comes back as it was sent', () => {
  const odd = '{"z":12345678901234567890,"content":"odd","a":1.10,"b":1e400,"c":-0,"1":[ ],"a":"\\u5317\\/","type":7}';

  test('number literals, order and duplicates of keys and spaces, with the marks in their place', async () => {
    const { uid, room } = await userWhoReads();
    await system.store({ ...group(room), payload: base64(`\ufeff${odd}`) });
    const request = { uid, payload: { content: 'odd' }, payload_types: [7] };
    expect(await answerText(system.address, request)).toContain(`"payload":${odd},"topic":""`);
    const marked = await answerText(system.address, { ...request, highlights: ['payload.content'] });
    expect(marked).toContain(`"payload":${odd.replace('"odd"', '"<mark>odd</mark>"')},"topic":""`);
    expect(JSON.parse(marked)).toMatchObject({ total: 1, limit: 20, page: 1, messages: [{ channel_id: room }] });
  });

  test('with SEARCH_PAYLOAD=base64 its bytes, and those of {} for what is no object', async () => {
    const { uid, room } = await userWhoReads();
    await system.send({ ...group(room), payload: base64(odd) });
    await system.store({ ...group(room), payload: base64('no object'), topic: 'none' });
    const { process, address } = await startApi({ ...system.config, SEARCH_PAYLOAD: 'base64' });
    const shown = async (more: object) => JSON.parse(await answerText(address, { uid, ...more })).messages[0]?.payload;
    expect(await shown({ payload: { content: 'odd' } })).toBe(base64(odd));
    expect(await shown({ payload: { content: 'odd' }, highlights: ['payload.content'] })).toBe(
      base64(odd.replace('"odd"', '"<mark>odd</mark>"')),
    );
    expect(await shown({ topic: 'none' })).toBe(base64('{}'));
    expect(await process.kill('SIGTERM')).toEqual({ code: 0, signal: null });
  });

  test('beside payloads that try to be more than one value', async () => {
    const { uid, room } = await userWhoReads('good');
    const odds = [
      '{"a":1},"x":{"b":2}',
      '{"a":1}]}',
      '{"a":1}\n{"b":2}',
      '{"a":"\u0000"}',
      '{"a":01}',
      '{"a":NaN}',
      '',
    ];
    for (const text of odds) if (text !== '') await system.send({ ...group(room), payload: base64(text) });
    await system.settled();
    const { messages, total } = await search(uid);
    expect([total, messages.map(({ payload }) => payload)]).toEqual([
      odds.length,
      [...odds.slice(0, -1).map(() => ({})), { type: 1, content: 'good' }],
    ]);
  });
});

describe('what is damaged in Redis is left out, and everything else is shown', () => {
  const shards = evenShards(8);
  const logKey = (name: string) => keys.log(shardOf(name, shards), name);

  test.each([
    ['a log of another type', async (key: string) => void (await system.redis.client.set(key, 'no log'))],
    ['an entry that cannot be read', async (key: string) => void (await system.redis.client.zadd(key, 2, '[broken'))],
  ])('%s', async (_, damage) => {
    const { uid, room } = await userWhoReads('before');
    const other = fresh('room');
    await subscribe('add', other, uid);
    for (const text of ['first', 'second', 'third']) await system.store({ ...group(other), payload: say(text) });
    const key = logKey(`2:${other}`);
    if ((await system.redis.client.type(key)) !== 'zset') throw new Error(`${key} is no log`);
    await system.redis.client.zremrangebyscore(key, 2, 2);
    await damage(key);
    await system.store({ ...group(room), payload: say('after') });
    const found = await search(uid);
    const own = contents(found).filter((text) => ['before', 'after'].includes(String(text)));
    expect(own).toEqual(['after', 'before']);
    // Of the damaged log: what can be read.
    const readable = (await system.redis.client.type(key)) === 'zset' ? ['third', 'first'] : [];
    expect(contents(found).filter((text) => !['before', 'after'].includes(String(text)))).toEqual(readable);
    await system.redis.client.del(key);
  });

  test('the log of one recipient of a batch', async () => {
    const [ann, ...uids] = names(3, fresh('u'));
    const room = fresh('room');
    await subscribe('add', room, ...uids);
    await system.store({ ...group(room), payload: say('group') });
    await system.sendBatch({ from_uid: ann, subscribers: uids, payload: say('batch') });
    await system.settled();
    const [hurt = '', whole = ''] = uids;
    const pair = `1:${[hurt, ann].sort().join('@')}`;
    expect(await system.redis.client.type(logKey(pair))).toBe('zset');
    await system.redis.client.set(logKey(pair), 'no log');
    expect(contents(await search(hurt))).toEqual(['group']);
    expect(contents(await search(whole)).sort()).toEqual(['batch', 'group']);
    await system.redis.client.del(logKey(pair));
  });

  test('the body of a batch', async () => {
    const [ann, ben] = [fresh('ann'), fresh('ben')];
    const { body } = await system.sendBatch({ from_uid: ann, subscribers: [ben], payload: say('batch') });
    await system.store({ from_uid: ann, channel_id: ben, channel_type: 1, payload: say('single') });
    await system.settled();
    await system.redis.client.hset(keys.body(body.batch_no), 'm', '{broken');
    // Another process has not read it before.
    const { process, address } = await startApi(system.config);
    const { total, messages } = JSON.parse(await answerText(address, { uid: ben }));
    expect([total, messages.length, messages[0]?.payload.content]).toEqual([2, 1, 'single']);
    expect(await process.kill('SIGTERM')).toEqual({ code: 0, signal: null });
  });
});
