import type { MessageObject } from '@ruyi/contracts';
import { seededRandom } from '@ruyi/testkit';
import { describe, expect, test } from 'vitest';
import { base64, fresh, group, names, personal, testSystem, text, upTo } from './harness.ts';

const system = testSystem(['worker']);

const NO_INFO = { large: 0, ban: 0, disband: 0, send_ban: 0, allow_stranger: 0 };
const ok = async (path: string, body: object) => {
  const answer = await system.post(path, body);
  expect([answer.status, answer.body]).toEqual([200, { status: 200 }]);
};
const query = ({ channel_id, channel_type = 2 }: { channel_id: string; channel_type?: number }) => ({
  channel_id,
  channel_type: String(channel_type),
});
const info = async (channel: { channel_id: string; channel_type?: number }) =>
  (await system.get<object>('/channel/info', query(channel))).body;
const page = async (channel: { channel_id: string }, more: Record<string, string> = {}) => {
  const answer = await system.get<{ subscribers: string[]; cursor: string }>('/channel/subscribers', {
    ...query(channel),
    ...more,
  });
  expect(answer.status).toBe(200);
  return answer.body;
};
const subscribers = async (channel: { channel_id: string }) => {
  const { subscribers, cursor } = await page(channel, { limit: '10000' });
  expect(cursor).toBe('');
  return subscribers.sort();
};

describe('a channel', () => {
  test('is created with its info and subscribers, and updated by the same request', async () => {
    const channel = group(fresh('room'));
    await ok('/channel', { ...channel, subscribers: ['ann', 'ben', 'ann'], large: 1, ban: 1 });
    expect(await info(channel)).toEqual({ ...channel, ...NO_INFO, large: 1, ban: 1 });
    expect(await subscribers(channel)).toEqual(['ann', 'ben']);
    await ok('/channel', { ...channel, subscribers: ['carl'], send_ban: 1 });
    expect(await info(channel)).toEqual({ ...channel, ...NO_INFO, send_ban: 1 });
    expect(await subscribers(channel)).toEqual(['ann', 'ben', 'carl']);
  });

  test('with reset 1 has these subscribers and no others', async () => {
    const channel = group(fresh('room'));
    await ok('/channel', { ...channel, subscribers: ['ann', 'ben'] });
    await ok('/channel', { ...channel, subscribers: ['ben', 'carl'], reset: 1 });
    expect(await subscribers(channel)).toEqual(['ben', 'carl']);
    await ok('/channel/subscriber_add', { ...channel, subscribers: ['dora'], reset: 1 });
    expect(await subscribers(channel)).toEqual(['dora']);
    await ok('/channel', { ...channel, reset: 1 });
    expect(await subscribers(channel)).toEqual([]);
  });

  test('keeps its info by itself, for personal channels too', async () => {
    const channel = group(fresh('room'));
    const ann = { channel_id: fresh('ann'), channel_type: 1 };
    const all = { large: 1, ban: 1, disband: 1, send_ban: 1, allow_stranger: 1 };
    for (const one of [channel, ann]) {
      expect(await info(one)).toEqual({ ...one, ...NO_INFO });
      await ok('/channel/info', { ...one, ...all });
      expect(await info(one)).toEqual({ ...one, ...all });
    }
    expect(await subscribers(channel)).toEqual([]);
  });

  test('that is banned takes messages all the same: info is kept, not enforced', async () => {
    const channel = group(fresh('room'));
    await ok('/channel', { ...channel, ban: 1, disband: 1, send_ban: 1 });
    await system.store({ ...channel, payload: base64('still') });
    expect((await system.log(channel)).map(text)).toEqual(['still']);
  });

  test('is deleted with its info and subscribers; its log stays', async () => {
    const channel = group(fresh('room'));
    await ok('/channel', { ...channel, subscribers: ['ann'], large: 1 });
    await system.store({ ...channel, payload: base64('kept') });
    await ok('/channel/delete', channel);
    expect(await info(channel)).toEqual({ ...channel, ...NO_INFO });
    expect(await subscribers(channel)).toEqual([]);
    expect((await system.log(channel)).map(text)).toEqual(['kept']);
    await system.store({ ...channel, payload: base64('next') });
    expect((await system.log(channel)).map(({ message_seq }) => message_seq)).toEqual([1, 2]);
    await ok('/channel/delete', { channel_id: fresh('ann'), channel_type: 1 });
  });
});

describe('subscribers', () => {
  test('are added once and removed, whether they were there or not', async () => {
    const channel = group(fresh('room'));
    await ok('/channel/subscriber_add', { ...channel, subscribers: ['ann', 'ben'] });
    await ok('/channel/subscriber_add', { ...channel, subscribers: ['ben', 'carl'] });
    await ok('/channel/subscriber_remove', { ...channel, subscribers: ['ann', 'nobody'] });
    expect(await subscribers(channel)).toEqual(['ben', 'carl']);
    expect(await info(channel)).toEqual({ ...channel, ...NO_INFO });
  });

  test('belong to one channel type', async () => {
    const channel_id = fresh('room');
    await ok('/channel/subscriber_add', { channel_id, channel_type: 3, subscribers: ['ann'] });
    expect(await subscribers({ channel_id })).toEqual([]);
  });

  test('come in pages, each of them once, while others come and go', async () => {
    const channel = group(fresh('room'));
    const stay = names(500, 'stay');
    const go = names(200, 'go');
    await ok('/channel', { ...channel, subscribers: [...stay, ...go] });
    const random = seededRandom();
    const seen: string[] = [];
    for (let cursor = '', pages = 0; pages === 0 || cursor !== ''; pages++) {
      const next = await page(channel, { cursor, limit: String(random.whole(1, 40)) });
      seen.push(...next.subscribers);
      cursor = next.cursor;
      const change = { ...channel, subscribers: go.splice(0, 10) };
      if (change.subscribers.length > 0) await ok('/channel/subscriber_remove', change);
      await ok('/channel/subscriber_add', { ...channel, subscribers: [fresh('come')] });
    }
    expect(new Set(seen).size).toBe(seen.length);
    expect(seen.filter((uid) => uid.startsWith('stay')).sort()).toEqual(stay.sort());
  });

  test('may be 100,000 at once', async () => {
    const channel = group(fresh('room'));
    await ok('/channel', { ...channel, subscribers: names(100_000, 'u') });
    let count = 0;
    for (let cursor = '', first = true; first || cursor !== ''; first = false) {
      const next = await page(channel, { cursor, limit: '10000' });
      count += next.subscribers.length;
      cursor = next.cursor;
    }
    expect(count).toBe(100_000);
    await ok('/channel/delete', channel);
    expect(await subscribers(channel)).toEqual([]);
  });
});

describe('max_message_seq', () => {
  test('is that of the newest message, 0 for an unknown channel', async () => {
    const [room, ann, ben] = [fresh('room'), fresh('ann'), fresh('ben')];
    for (const _ of upTo(3)) await system.send({ ...group(room), payload: 'YQ==' });
    await system.store({ from_uid: ann, channel_id: ben, channel_type: 1, payload: 'YQ==' });
    const max = async (asked: Record<string, string>) => (await system.get('/channel/max_message_seq', asked)).body;
    expect(await max(query(group(room)))).toEqual({ message_seq: 3 });
    expect(await max(query(group(fresh('room'))))).toEqual({ message_seq: 0 });
    for (const [login_uid, channel_id] of [
      [ann, ben],
      [ben, ann],
    ] as const) {
      expect(await max({ login_uid, channel_id, channel_type: '1' })).toEqual({ message_seq: 1 });
    }
  });
});

describe('/messages', () => {
  const find = async (wanted: object) => {
    const answer = await system.post<{ messages: MessageObject[] }>('/messages', wanted);
    expect(answer.status).toBe(200);
    return answer.body.messages.map(({ message_seq }) => message_seq);
  };

  test('finds by seq, id and client_msg_no, united and ascending', async () => {
    const channel = group(fresh('room'));
    const ids: number[] = [];
    for (const n of upTo(300)) {
      const { body } = await system.send({ ...channel, payload: base64(`${n}`), client_msg_no: `no-${n}` });
      ids.push(body.data.message_id);
    }
    await system.settled();
    const wanted = {
      message_seqs: [7, 7, 300, 301, 0],
      message_ids: [ids[0], ids[6], 1],
      client_msg_nos: ['no-150', 'no-7', 'no-999', ''],
    };
    expect(await find({ ...channel, ...wanted })).toEqual([1, 7, 150, 300]);
    expect(await find({ ...channel, message_seqs: upTo(1000) })).toEqual(upTo(300));
    expect(await find(channel)).toEqual([]);
    expect(await find({ ...group(fresh('room')), ...wanted })).toEqual([]);
  });

  test('looks into a personal channel for either user', async () => {
    const [ann, ben] = [fresh('ann'), fresh('ben')];
    await system.store({ from_uid: ann, channel_id: ben, channel_type: 1, payload: 'YQ==' });
    expect(await find({ ...personal(ann, ben), message_seqs: [1] })).toEqual([1]);
    expect(await find({ ...personal(ben, ann), message_seqs: [1] })).toEqual([1]);
    expect(await find({ ...personal(ben, fresh('carl')), message_seqs: [1] })).toEqual([]);
  });
});
