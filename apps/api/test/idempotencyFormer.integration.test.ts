import { createHash } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { base64, fresh, testSystem } from './harness.ts';
import { asker, COMMAND, expectOnceEach, isReplayed, REFUSED, toChannel, toMany } from './repeatedKinds.ts';

const system = testSystem(['worker']);

describe('a key that a version without digests accepted', () => {
  /** Its record, whose name is a hash. */
  async function recordOf(before: Set<string>): Promise<string> {
    const [key = '', ...more] = (await system.redis.client.keys('*:idem:*')).filter((name) => !before.has(name));
    expect(more).toEqual([]);
    return key;
  }
  const allRecords = async () => new Set(await system.redis.client.keys('*:idem:*'));

  test('equals every other request, and gives its answer', async () => {
    const before = await allRecords();
    const sent = await toChannel('group', {})(system);
    const ask = asker(system, sent, 'no');
    const first = await ask();
    await system.settled();
    const key = await recordOf(before);
    const [, id, ts] = String(await system.redis.client.get(key)).split(':');
    await system.redis.client.set(key, `S:${id}:${ts}:1`, 'KEEPTTL');
    const again = await ask({ payload: base64('ha') });
    expect([again.status, again.body, isReplayed(again)]).toEqual([200, first.body, 'true']);
    await system.settled();
    await expectOnceEach(system, sent);
  });

  test('of a personal command is found where that version left it', async () => {
    const before = await allRecords();
    const sent = await toChannel('personal', COMMAND)(system);
    const ask = asker(system, sent, 'no');
    const first = await ask();
    await system.settled();
    const { client } = system.redis;
    for (const key of await allRecords()) {
      if (before.has(key) || key.endsWith('.own')) continue;
      const [state, id, ts] = String(await client.get(key)).split(':');
      // The record at the inbox; there was none at the log.
      if (state === 'S') await client.set(key, `S:${id}:${ts}:1`, 'KEEPTTL');
      else await client.del(key);
    }
    const again = await ask();
    expect([again.status, again.body, isReplayed(again)]).toEqual([200, first.body, 'true']);
    await system.settled();
    await expectOnceEach(system, sent);
  });

  test('of a batch answers with the uids that were kept then', async () => {
    const before = await allRecords();
    const sent = await toMany('/message/sendbatch', {}, REFUSED)();
    const ask = asker(system, sent, 'no');
    const first = await ask();
    await system.settled();
    const key = await recordOf(before);
    const [, id, ts] = String(await system.redis.client.get(key)).split(':');
    await system.redis.client.set(key, `Q:${id}:${ts}`, 'KEEPTTL');
    const { fail_uids, reason, batch_no, accepted } = first.body;
    const plan = { total: accepted, toStore: true, createdAt: Number(ts), refused: { fail_uids, reason }, firstAt: 0 };
    await system.redis.client.hset(`r:{b${batch_no}}:progress`, 'plan', JSON.stringify(plan));
    for (const changes of [{}, { subscribers: [fresh('eve')] }]) {
      const again = await ask(changes);
      expect([again.status, again.body, isReplayed(again)]).toEqual([200, first.body, 'true']);
    }
    await system.settled();
    await expectOnceEach(system, sent);
    expect(await system.progress(batch_no)).toMatchObject({ total: accepted, stored: accepted, state: 'done' });
  });

  test('of a batch that it had not queued yet is completed for the same recipients only', async () => {
    const before = await allRecords();
    const sent = await toMany('/message/sendbatch', {})();
    const ask = asker(system, sent, 'no');
    const first = await ask();
    await system.settled();
    const key = await recordOf(before);
    const [, id, ts] = String(await system.redis.client.get(key)).split(':');
    const uids = [...new Set(sent.body.subscribers)].sort();
    const named = createHash('sha256').update(`00\n${uids.map((uid) => `${uid}\n`).join('')}`);
    await system.redis.client.set(key, `R:${id}:${ts}:${named.digest('base64url').slice(0, 22)}`, 'KEEPTTL');
    expect((await ask({ subscribers: [...uids, fresh('eve')] })).status).toBe(409);
    const again = await ask();
    expect([again.status, again.body, isReplayed(again)]).toEqual([200, first.body, 'true']);
    await system.settled();
    await expectOnceEach(system, sent);
  });
});
