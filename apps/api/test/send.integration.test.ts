import { randomBytes } from 'node:crypto';
import { seededRandom } from '@ruyi/testkit';
import { describe, expect, test } from 'vitest';
import { base64, fresh, group, names, personal, testSystem, text, upTo } from './harness.ts';

const system = testSystem(['worker']);

describe('a message to a channel', () => {
  test('is given back with all that was said about it', async () => {
    const channel_id = fresh('room');
    const said = {
      setting: 7,
      from_uid: 'ann',
      stream_no: 'stream',
      ...group(channel_id),
      payload: base64('北京 \u0000'),
      client_msg_no: 'my-number',
      topic: 'weather',
      expire: 4_000_000_000,
    };
    const data = await system.store({ ...said, header: { red_dot: 1 } });
    expect(data).toEqual({
      message_id: expect.any(Number),
      message_idstr: String(data.message_id),
      client_msg_no: 'my-number',
    });
    expect(await system.log(group(channel_id))).toEqual([
      {
        ...said,
        header: { no_persist: 0, red_dot: 1, sync_once: 0 },
        message_id: data.message_id,
        message_idstr: data.message_idstr,
        message_seq: 1,
        timestamp: expect.any(Number),
      },
    ]);
  });

  test('has the defaults of the contract where nothing is said, and no stream_no', async () => {
    const channel_id = fresh('room');
    const { client_msg_no, message_id } = await system.store({ ...group(channel_id), payload: 'YQ==' });
    expect(client_msg_no).toMatch(/^.{1,128}$/);
    expect(await system.log(group(channel_id))).toEqual([
      {
        header: { no_persist: 0, red_dot: 0, sync_once: 0 },
        setting: 0,
        message_id,
        message_idstr: String(message_id),
        client_msg_no,
        message_seq: 1,
        from_uid: '',
        channel_id,
        channel_type: 2,
        topic: '',
        expire: 0,
        timestamp: expect.any(Number),
        payload: 'YQ==',
      },
    ]);
  });

  test('takes the seqs of the sends that were answered one after the other', async () => {
    const channel_id = fresh('room');
    const ids: number[] = [];
    for (const n of upTo(30)) {
      const { body } = await system.send({ ...group(channel_id), payload: base64(`${n}`) });
      ids.push(body.data.message_id);
    }
    await system.settled();
    const stored = await system.log(group(channel_id));
    expect(stored.map(text)).toEqual(upTo(30).map(String));
    expect(stored.map(({ message_seq }) => message_seq)).toEqual(upTo(30));
    expect(stored.map(({ message_id }) => message_id)).toEqual(ids);
  });

  test('has an id of its own, a bare integer that every client reads unchanged', async () => {
    const channel_id = fresh('room');
    const answers = await Promise.all(
      upTo(200).map(() => system.send({ ...group(channel_id), payload: 'YQ==' }).then(({ body }) => body.data)),
    );
    const ids = answers.map(({ message_id }) => message_id);
    expect(new Set(ids).size).toBe(200);
    expect(ids.every((id) => Number.isSafeInteger(id) && id > 0)).toBe(true);
    const answer = await fetch(`${system.address}/message/send`, {
      method: 'POST',
      body: JSON.stringify({ ...group(channel_id), payload: 'YQ==' }),
    });
    expect(await answer.text()).toMatch(/"message_id":\d{1,16},"message_idstr":"\d{1,16}"/);
    await system.settled();
    expect((await system.log(group(channel_id))).map(({ message_seq }) => message_seq)).toEqual(upTo(201));
  });

  test('may have any bytes as its payload, which come back padded', async () => {
    const random = seededRandom();
    const channel_id = fresh('room');
    const payloads = [
      Buffer.from(upTo(256).map((n) => n - 1)),
      Buffer.from([0]),
      Buffer.from([0xff, 0xfe, 0xc0]),
      ...upTo(10).map(() => Buffer.from(upTo(random.whole(1, 999)).map(() => random.whole(0, 255)))),
      randomBytes(256 * 1024),
    ].map((bytes) => bytes.toString('base64'));
    for (const payload of payloads) {
      await system.send({ ...group(channel_id), payload: payload.replace(/=+$/, random.pick(['', '$&'])) });
    }
    await system.settled();
    expect((await system.log(group(channel_id))).map(({ payload }) => payload)).toEqual(payloads);
  });

  test('may use every field up to its bound', async () => {
    const channel_id = '房'.repeat(128);
    const uid = '😀'.repeat(128);
    const label = '\u0000'.repeat(128);
    const said = {
      from_uid: uid,
      channel_id,
      channel_type: 255,
      setting: 255,
      expire: 2 ** 32 - 1,
      stream_no: label,
      topic: label,
      client_msg_no: label,
      payload: 'YQ==',
    };
    await system.store(said);
    expect(await system.log({ channel_id, channel_type: 255 })).toMatchObject([said]);
  });

  test('with no_persist is answered and stored nowhere', async () => {
    const channel_id = fresh('room');
    const [ann, ben] = [fresh('ann'), fresh('ben')];
    const header = { no_persist: 1 };
    for (const to of [group(channel_id), { channel_id: ben, channel_type: 1 }, { subscribers: [ann, ben] }]) {
      for (const sync_once of [0, 1]) {
        const data = await system.store({ ...to, from_uid: ann, payload: 'YQ==', header: { ...header, sync_once } });
        expect(data.message_id).toBeGreaterThan(0);
      }
    }
    expect(await system.log(group(channel_id))).toEqual([]);
    expect(await system.log(personal(ann, ben))).toEqual([]);
    expect([...(await system.inbox(ann)), ...(await system.inbox(ben))]).toEqual([]);
  });

  test('of every type but 1 stays out of the channels of other types with the same id', async () => {
    const channel_id = fresh('room');
    for (const channel_type of [2, 3, 255])
      await system.store({ channel_id, channel_type, payload: base64(`${channel_type}`) });
    for (const channel_type of [2, 3, 255]) {
      expect((await system.log({ channel_id, channel_type })).map(text)).toEqual([`${channel_type}`]);
    }
    expect(await system.log({ channel_id, channel_type: 4 })).toEqual([]);
  });
});

describe('a personal message', () => {
  test('is in one log that both sides read', async () => {
    const [ann, ben] = [fresh('ann'), fresh('ben')];
    await system.store({ from_uid: ann, channel_id: ben, channel_type: 1, payload: base64('hi') });
    await system.store({ from_uid: ben, channel_id: ann, channel_type: 1, payload: base64('hello') });
    const seen = await system.log(personal(ann, ben));
    expect(await system.log(personal(ben, ann))).toEqual(seen);
    expect(seen.map((message) => [message.message_seq, message.from_uid, message.channel_id, text(message)])).toEqual([
      [1, ann, ben, 'hi'],
      [2, ben, ann, 'hello'],
    ]);
    expect(await system.log(personal(ann, fresh('carl')))).toEqual([]);
  });

  test('to oneself is stored once', async () => {
    const ann = fresh('ann');
    await system.store({ from_uid: ann, channel_id: ann, channel_type: 1, payload: base64('note') });
    expect((await system.log(personal(ann, ann))).map(text)).toEqual(['note']);
  });

  test('of the system user is read under its name and shown without one', async () => {
    const ann = fresh('ann');
    await system.store({ channel_id: ann, channel_type: 1, payload: base64('welcome') });
    await system.store({ from_uid: ann, channel_id: '____system', channel_type: 1, payload: base64('thanks') });
    const seen = await system.log(personal(ann, '____system'));
    expect(seen.map(({ from_uid, channel_id }) => [from_uid, channel_id])).toEqual([
      ['', ann],
      [ann, '____system'],
    ]);
    expect(await system.log(personal('____system', ann))).toEqual(seen);
  });
});

describe('a message to subscribers', () => {
  test('is in the personal log of each of them, once, with one client_msg_no and an id each', async () => {
    const ann = fresh('ann');
    const uids = names(5, fresh('u'));
    const subscribers = [...uids, ...uids.slice(0, 2)];
    const data = await system.store({ from_uid: ann, subscribers, payload: base64('to all') });
    const stored = (await Promise.all(uids.map((uid) => system.log(personal(uid, ann))))).flat();
    expect(stored.map((message) => [message.channel_id, text(message)])).toEqual(uids.map((uid) => [uid, 'to all']));
    expect(stored.every(({ client_msg_no }) => client_msg_no === data.client_msg_no)).toBe(true);
    expect(new Set(stored.map(({ message_id }) => message_id)).size).toBe(5);
    expect(stored[0]?.message_id).toBe(data.message_id);
  });

  test('reaches 5,000 of them', async () => {
    const ann = fresh('ann');
    const uids = names(5000, fresh('u'));
    const data = await system.store({ from_uid: ann, subscribers: uids, payload: base64('to all') });
    const random = seededRandom();
    for (const uid of [uids[0] ?? '', uids[4999] ?? '', ...upTo(20).map(() => uids[random.whole(0, 4999)] ?? '')]) {
      expect((await system.log(personal(uid, ann))).map(({ client_msg_no }) => client_msg_no)).toEqual([
        data.client_msg_no,
      ]);
    }
  });
});
