import type { BatchProgress } from '@ruyi/contracts';
import { seededRandom, waitFor } from '@ruyi/testkit';
import { describe, expect, test } from 'vitest';
import { base64, fresh, names, personal, startApp, testSystem, text, upTo } from './harness.ts';

const system = testSystem(['worker']);

const INVALID = '用户ID不合法';
const UNKNOWN = '不存在用户';
const done = (batchNo: string) =>
  waitFor(async () => {
    const progress = await system.progress(batchNo);
    return progress.state === 'done' && progress;
  });
const log = (uid: string, from: string) => system.log(personal(uid, from));

describe('a batch', () => {
  test('reaches every uid once, each with a message of its own', async () => {
    const ann = fresh('ann');
    const uids = names(30, fresh('u'));
    const { status, body } = await system.sendBatch({
      header: { red_dot: 1 },
      from_uid: ann,
      payload: base64('to all'),
      subscribers: uids,
      setting: 3,
      topic: 'weather',
    });
    expect([status, body]).toEqual([200, { fail_uids: [], reason: [], batch_no: expect.any(String), accepted: 30 }]);
    await done(body.batch_no);
    const logs = await Promise.all(uids.map((uid) => log(uid, ann)));
    expect(logs.map((messages) => messages.map(text))).toEqual(uids.map(() => ['to all']));
    const stored = logs.flat();
    expect(new Set(stored.map(({ message_id }) => message_id)).size).toBe(30);
    stored.forEach((message, i) => {
      expect(message).toMatchObject({
        from_uid: ann,
        channel_id: uids[i],
        channel_type: 1,
        message_seq: 1,
        setting: 3,
      });
      expect(message).toMatchObject({ topic: 'weather', header: { red_dot: 1, no_persist: 0, sync_once: 0 } });
    });
  });

  test('with sync_once is a command in each inbox, and shows the sender as its channel', async () => {
    const ann = fresh('ann');
    const uids = names(3, fresh('u'));
    const { body } = await system.sendBatch({
      header: { sync_once: 1 },
      from_uid: ann,
      payload: base64('do'),
      subscribers: uids,
    });
    await done(body.batch_no);
    for (const uid of uids) {
      const commands = await system.inbox(uid);
      expect(commands.map(text)).toEqual(['do']);
      expect(commands[0]).toMatchObject({ channel_id: ann, channel_type: 1, header: { sync_once: 1 } });
      expect(await log(uid, ann)).toEqual([]);
    }
  });

  test('of the system user needs no from_uid', async () => {
    const ann = fresh('ann');
    const { body } = await system.sendBatch({ payload: base64('news'), subscribers: [ann] });
    await done(body.batch_no);
    expect((await log(ann, '____system')).map(({ from_uid }) => from_uid)).toEqual(['']);
  });

  test('from one sender comes after the batches that were answered before it', async () => {
    const ann = fresh('ann');
    const uids = names(5, fresh('u'));
    let last = '';
    for (const n of upTo(8)) {
      const { body } = await system.sendBatch({ from_uid: ann, payload: base64(`${n}`), subscribers: uids });
      last = body.batch_no;
    }
    await done(last);
    await system.settled();
    for (const uid of uids) expect((await log(uid, ann)).map(text)).toEqual(upTo(8).map(String));
  });

  test('to 10,000 arrives whole', async () => {
    const ann = fresh('ann');
    const uids = names(10_000, fresh('u'));
    const { body } = await system.sendBatch({ from_uid: ann, payload: base64('to all'), subscribers: uids });
    await done(body.batch_no);
    const random = seededRandom();
    for (const _ of upTo(30)) {
      const uid = uids[random.whole(0, uids.length - 1)] ?? '';
      expect((await log(uid, ann)).map(text)).toEqual(['to all']);
    }
  });
});

describe('fail_uids', () => {
  test('names each invalid uid once, in request order; duplicates of good ones are sent once', async () => {
    const ann = fresh('ann');
    const [ben = '', carl = ''] = names(2, fresh('u'));
    const bad = ['', 'a@b', 'x'.repeat(129), '#', 'a&b', 'line\nbreak', '\u0000'];
    const subscribers = [bad[0], ben, ...bad.slice(1, 4), carl, ben, bad[1], ...bad.slice(4), bad[0]];
    const { status, body } = await system.sendBatch({ from_uid: ann, payload: base64('x'), subscribers });
    expect(status).toBe(200);
    expect(body).toEqual({ fail_uids: bad, reason: bad.map(() => INVALID), batch_no: body.batch_no, accepted: 2 });
    const progress = await done(body.batch_no);
    expect(progress).toMatchObject({ total: 2, stored: 2, failed: 0 });
    for (const uid of [ben, carl]) expect(await log(uid, ann)).toHaveLength(1);
  });

  test('a batch of which nothing is left is answered 200 and done at once', async () => {
    const { status, body } = await system.sendBatch({ payload: 'YQ==', subscribers: ['@', '\ud800', '@'] });
    expect([status, body.accepted, body.fail_uids]).toEqual([200, 0, ['@', '\ud800']]);
    expect(await system.progress(body.batch_no)).toMatchObject({ state: 'done', total: 0, stored: 0, failed: 0 });
  });

  test('holds the system user where a command is sent: it has no inbox', async () => {
    const batch = { from_uid: 'ann', payload: 'YQ==', subscribers: ['____system', fresh('u')] };
    const { body } = await system.sendBatch({ ...batch, header: { sync_once: 1 } });
    expect([body.fail_uids, body.accepted]).toEqual([['____system'], 1]);
    expect((await system.sendBatch(batch)).body.fail_uids).toEqual([]);
  });

  test('is empty for an unknown user unless REQUIRE_KNOWN_USERS is set', async () => {
    const { body } = await system.sendBatch({ payload: 'YQ==', subscribers: [fresh('nobody')] });
    expect([body.fail_uids, body.accepted]).toEqual([[], 1]);
  });
});

describe('with REQUIRE_KNOWN_USERS', () => {
  const strict = testSystem([], { REQUIRE_KNOWN_USERS: '1' });

  test('users that /user/token never saw are refused, each with its own reason', async () => {
    const [ann, ben] = [fresh('ann'), fresh('ben')];
    for (const uid of [ann, ben]) {
      expect((await strict.post('/user/token', { uid, token: 'secret', device_flag: 1, device_level: 1 })).status).toBe(
        200,
      );
    }
    const stranger = fresh('stranger');
    const subscribers = [stranger, ann, '@', ben, fresh('Ann'), stranger];
    const { body } = await strict.sendBatch({ payload: 'YQ==', subscribers });
    expect([body.fail_uids, body.reason]).toEqual([
      [stranger, '@', subscribers[4]],
      [UNKNOWN, INVALID, UNKNOWN],
    ]);
    expect(body.accepted).toBe(2);
  });

  test('only sendbatch looks: single sends and subscribers go to anybody', async () => {
    const stranger = fresh('stranger');
    expect((await strict.send({ channel_id: stranger, channel_type: 1, payload: 'YQ==' })).status).toBe(200);
    expect((await strict.send({ subscribers: [stranger], payload: 'YQ==' })).status).toBe(200);
  });
});

describe('progress', () => {
  const paused = testSystem();

  test('is exact and monotonic from queued to done', async () => {
    const uids = names(4000, fresh('u'));
    const { body } = await paused.sendBatch({ payload: base64('x'), subscribers: uids });
    const first = await paused.progress(body.batch_no);
    expect(first).toEqual({
      batch_no: body.batch_no,
      total: 4000,
      stored: 0,
      failed: 0,
      indexed: 0,
      state: 'queued',
      created_at: expect.any(Number),
      finished_at: 0,
    });
    const worker = await startApp('worker', paused.config);
    const seen: BatchProgress[] = [first];
    await waitFor(
      async () => {
        seen.push(await paused.progress(body.batch_no));
        return seen.at(-1)?.state === 'done';
      },
      { everyMs: 1 },
    );
    const last = seen.at(-1);
    expect(last).toMatchObject({ total: 4000, stored: 4000, failed: 0, state: 'done', created_at: first.created_at });
    expect(last?.finished_at).toBeGreaterThanOrEqual(first.created_at);
    const stored = seen.map((progress) => progress.stored);
    expect(stored).toEqual([...stored].sort((a, b) => a - b));
    for (const progress of seen) {
      const finished = progress.stored === 4000;
      expect(progress.state).toBe(finished ? 'done' : progress.stored > 0 ? 'running' : 'queued');
      expect(progress.finished_at > 0).toBe(finished);
    }
    expect(await worker.kill('SIGTERM')).toEqual({ code: 0, signal: null });
  });

  test('of a batch with no_persist is done at once with nothing stored', async () => {
    const batch = { payload: 'YQ==', subscribers: names(3, fresh('u')), header: { no_persist: 1 } };
    const { body } = await paused.sendBatch(batch);
    expect(body.accepted).toBe(3);
    expect(await paused.progress(body.batch_no)).toMatchObject({ state: 'done', total: 3, stored: 0, failed: 0 });
  });
});
