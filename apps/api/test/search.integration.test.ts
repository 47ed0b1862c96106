import { waitFor } from '@ruyi/testkit';
import { describe, expect, test } from 'vitest';
import { fresh, group, names, testSystem, upTo } from './harness.ts';
import { contents, say, searching } from './searching.ts';

const system = testSystem(['worker', 'indexer']);
const { search, subscribe, userWhoReads } = searching(system);

test('finds 北京 in 你是北京大学的吗, marked, and gives back all that is known of the message', async () => {
  const { uid, room } = await userWhoReads();
  const sent = await system.store({
    ...group(room),
    from_uid: 'ben',
    topic: 'school',
    payload: say('你是北京大学的吗', { extra: 1 }),
    client_msg_no: 'no',
  });
  await system.store({ ...group(room), payload: say('北方') });
  expect(await search(uid, '北京', { highlights: ['payload.content'] })).toEqual({
    total: 1,
    limit: 20,
    page: 1,
    messages: [
      {
        message_id: sent.message_id,
        message_idstr: sent.message_idstr,
        message_seq: 1,
        client_msg_no: 'no',
        from_uid: 'ben',
        channel_id: room,
        channel_type: 2,
        payload: { type: 1, content: '你是<mark>北京</mark>大学的吗', extra: 1 },
        topic: 'school',
        timestamp: expect.any(Number),
      },
    ],
  });
  expect(contents(await search(uid, '北京'))).toEqual(['你是北京大学的吗']);
});

describe('who finds a message', () => {
  test('of a group: only who is subscribed at this moment', async () => {
    const { uid, room } = await userWhoReads('你是北京大学的吗');
    const stranger = fresh('ben');
    expect(await search(stranger, '北京')).toMatchObject({ total: 0, messages: [] });
    await subscribe('add', room, stranger);
    expect(contents(await search(stranger, '北京'))).toEqual(['你是北京大学的吗']);
    await subscribe('remove', room, stranger);
    expect(await search(stranger, '北京')).toMatchObject({ total: 0, messages: [] });
    expect(await search(stranger, '北京', group(room))).toMatchObject({ total: 0, messages: [] });
    expect((await search(uid, '北京')).total).toBe(1);
  });

  test('of a group: its sender too, who is not subscribed', async () => {
    const { uid, room } = await userWhoReads();
    const guest = fresh('guest');
    await system.store({ from_uid: guest, ...group(room), payload: say('hello') });
    for (const one of [uid, guest]) expect((await search(one, 'hello')).total).toBe(1);
  });

  test('between two users: each of them, under the name of the other, and nobody else', async () => {
    const [ann, ben, carl] = [fresh('ann'), fresh('ben'), fresh('carl')];
    await system.store({ from_uid: ann, channel_id: ben, channel_type: 1, payload: say('secret') });
    for (const [uid, peer] of [
      [ann, ben],
      [ben, ann],
    ] as const) {
      const { messages } = await search(uid, 'secret');
      expect(messages.map(({ channel_id, from_uid }) => [channel_id, from_uid])).toEqual([[peer, ann]]);
      expect((await search(uid, 'secret', { channel_id: peer })).total).toBe(1);
      expect((await search(uid, 'secret', { channel_id: carl })).total).toBe(0);
    }
    for (const asked of [{}, { channel_id: ann }, { channel_id: ben, channel_type: 1 }, { from_uid: ann }]) {
      expect((await search(carl, 'secret', asked)).total).toBe(0);
    }
  });

  test('of a batch: each recipient, and its sender who names one of them, once', async () => {
    const ann = fresh('ann');
    const uids = names(50, fresh('u'));
    for (const path of ['/message/sendbatch', '/message/send']) {
      const batch = { from_uid: ann, subscribers: uids, payload: say(path) };
      expect((await system.post(path, batch)).status).toBe(200);
    }
    await system.settled();
    for (const uid of uids.slice(0, 5)) {
      const found = await search(uid);
      expect(contents(found).sort()).toEqual(['/message/send', '/message/sendbatch']);
      expect(found.messages.map(({ channel_id }) => channel_id)).toEqual([ann, ann]);
      expect((await search(ann, 'message', { channel_id: uid })).total).toBe(2);
    }
    expect((await search(ann, 'message')).total).toBe(0);
    expect((await search(fresh('carl'), 'message', { channel_id: uids[0] })).total).toBe(0);
  });

  test('that is a command or no_persist: nobody', async () => {
    const [ann, ben] = [fresh('ann'), fresh('ben')];
    for (const header of [{ sync_once: 1 }, { no_persist: 1 }]) {
      await system.send({ header, from_uid: ann, channel_id: ben, channel_type: 1, payload: say('hidden') });
      await system.sendBatch({ header, from_uid: ann, subscribers: [ben], payload: say('hidden') });
    }
    await system.settled();
    for (const uid of [ann, ben]) expect(await search(uid)).toMatchObject({ total: 0, messages: [] });
  });

  test('progress tells when a batch can be found', async () => {
    const uids = names(2500, fresh('u'));
    const { body } = await system.sendBatch({ subscribers: uids, payload: say('found') });
    await waitFor(async () => (await system.progress(body.batch_no)).indexed === 2500, {
      what: 'the batch to be indexed',
    });
    for (const uid of [uids[0], uids[2499]]) expect((await search(uid ?? '', 'found')).total).toBe(1);
  });
});

describe('filters', () => {
  test('narrow down by sender, channel, type, topic and time', async () => {
    const [uid, room, ben] = [fresh('ann'), fresh('room'), fresh('ben')];
    await subscribe('add', room, uid);
    await system.post('/channel/subscriber_add', { channel_id: room, channel_type: 3, subscribers: [uid] });
    const said = { from_uid: ben, topic: 'Sport' };
    await system.send({ ...said, ...group(room), payload: say('group') });
    await system.send({ ...said, channel_id: room, channel_type: 3, payload: say('community'), topic: '' });
    await system.store({ ...said, channel_id: uid, channel_type: 1, payload: say('personal'), from_uid: room });
    const found = async (more: object) => contents(await search(uid, undefined, more)).sort();
    expect(await found({ from_uid: ben })).toEqual(['community', 'group']);
    expect(await found({ channel_id: room })).toEqual(['community', 'group', 'personal']);
    expect(await found({ channel_id: room, channel_type: 0 })).toEqual(['community', 'group', 'personal']);
    expect(await found({ channel_id: room, channel_type: 1 })).toEqual(['personal']);
    expect(await found({ channel_id: room, channel_type: 2 })).toEqual(['group']);
    expect(await found({ channel_type: 3 })).toEqual(['community']);
    expect(await found({ topic: 'Sport' })).toEqual(['group', 'personal']);
    expect(await found({ topic: 'sport' })).toEqual([]);
    expect(await found({ topic: 'Sport', from_uid: ben, channel_id: room })).toEqual(['group']);
    const [time = 0] = (await search(uid, 'group')).messages.map(({ timestamp }) => timestamp);
    expect(await found({ start_time: time, end_time: time, payload: { content: 'group' } })).toEqual(['group']);
    expect(await found({ end_time: time - 1 })).toEqual([]);
    expect(await found({ start_time: time + 1, payload: { content: 'group' } })).toEqual([]);
  });

  test('pages show every result once and total counts them all', async () => {
    const { uid } = await userWhoReads(...upTo(45).map((n) => `page ${n}`));
    const seen: unknown[] = [];
    for (const page of [1, 2, 3]) {
      const found = await search(uid, undefined, { page });
      expect(found).toMatchObject({ total: 45, limit: 20, page });
      seen.push(...contents(found));
    }
    expect(seen).toEqual(upTo(45).map((n) => `page ${46 - n}`));
    expect(await search(uid, 'page', { page: 4 })).toMatchObject({ total: 45, messages: [] });
    expect((await search(uid, 'page', { limit: 7, page: -3 })).messages).toHaveLength(7);
    for (const limit of [0, -1, 1001, null]) expect(await search(uid, 'page', { limit })).toMatchObject({ limit: 20 });
    expect(await search(uid, 'page', { limit: 1000, page: 11 })).toMatchObject({ total: 45, messages: [] });
  });

  test('what has expired is neither shown nor counted', async () => {
    const { uid, room } = await userWhoReads('stays');
    await system.store({ ...group(room), payload: say('goes'), expire: 1 });
    await waitFor(async () => (await search(uid)).total === 1, { what: 'the message to expire' });
    expect(contents(await search(uid))).toEqual(['stays']);
  });
});
