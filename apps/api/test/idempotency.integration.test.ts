import { seededRandom, waitFor } from '@ruyi/testkit';
import { describe, expect, test } from 'vitest';
import { apiClient, base64, fresh, group, names, personal, startApi, testSystem, text, upTo } from './harness.ts';

const system = testSystem(['worker']);
const shortLived = testSystem([], { IDEMPOTENCY_TTL: '5' });

const COPIES = 50;
/** Sends the same request several times at once, spread at random over two API processes if another one is given. */
async function atOnce<T>(ask: () => Promise<{ status: number; body: T }>): Promise<T[]> {
  const answers = await Promise.all(upTo(COPIES).map(() => ask()));
  expect(answers.map(({ status }) => status)).toEqual(answers.map(() => 200));
  return answers.map(({ body }) => body);
}

describe('the same client_msg_no 50 times at once', () => {
  test('stores one message and gives one answer, through two APIs', async () => {
    const second = await startApi(system.config);
    const clients = [system, apiClient(second.address)] as const;
    const random = seededRandom();
    const message = { ...group(fresh('room')), from_uid: 'ann', payload: base64('x'), client_msg_no: 'no' };
    const bodies = await atOnce(() => random.pick([...clients]).send(message));
    expect(bodies).toEqual(bodies.map(() => bodies[0]));
    await system.settled();
    const log = await system.log(message);
    expect(log.map(({ message_id }) => message_id)).toEqual([bodies[0]?.data.message_id]);
    await system.send({ ...message, client_msg_no: 'other' });
    await system.settled();
    expect((await system.log(message)).map(({ message_seq }) => message_seq)).toEqual([1, 2]);
    expect(await second.process.kill('SIGTERM')).toEqual({ code: 0, signal: null });
  });

  test.each(['personal', 'group'])('leaves one %s command in an inbox', async (kind) => {
    const [ann, room] = [fresh('ann'), fresh('room')];
    await system.post('/channel/subscriber_add', { ...group(room), subscribers: [ann] });
    const to = kind === 'group' ? group(room) : { channel_id: ann, channel_type: 1 };
    const command = { header: { sync_once: 1 }, ...to, payload: 'YQ==', client_msg_no: 'no' };
    const bodies = await atOnce(() => system.send(command));
    expect(bodies).toEqual(bodies.map(() => bodies[0]));
    await system.settled();
    expect((await system.inbox(ann)).map(({ message_id }) => message_id)).toEqual([bodies[0]?.data.message_id]);
  });

  test('sends one message to each of the subscribers', async () => {
    const ann = fresh('ann');
    const subscribers = names(20, fresh('u'));
    const bodies = await atOnce(() =>
      system.send({ from_uid: ann, subscribers, payload: base64('x'), client_msg_no: 'no' }),
    );
    expect(bodies).toEqual(bodies.map(() => bodies[0]));
    await system.settled();
    for (const uid of subscribers) expect(await system.log(personal(uid, ann))).toHaveLength(1);
  });

  test('makes one batch, whose answer repeats with fail_uids and all', async () => {
    const ann = fresh('ann');
    const uids = names(20, fresh('u'));
    const batch = { from_uid: ann, subscribers: ['@', ...uids], payload: base64('x'), client_msg_no: 'no' };
    const bodies = await atOnce(() => system.sendBatch(batch));
    expect(bodies).toEqual(bodies.map(() => bodies[0]));
    expect(bodies[0]).toMatchObject({ fail_uids: ['@'], accepted: 20 });
    await system.settled();
    for (const uid of uids) expect(await system.log(personal(uid, ann))).toHaveLength(1);
    expect((await system.sendBatch(batch)).body).toEqual(bodies[0]);
    expect(await system.progress(bodies[0]?.batch_no ?? '')).toMatchObject({ total: 20, stored: 20, state: 'done' });
  });

  test('is answered alike with no_persist', async () => {
    const message = { ...group(fresh('room')), header: { no_persist: 1 }, payload: 'YQ==', client_msg_no: 'no' };
    const bodies = await atOnce(() => system.send(message));
    expect(bodies).toEqual(bodies.map(() => bodies[0]));
    expect(await system.log(message)).toEqual([]);
  });
});

describe('a repeat', () => {
  test('of a stored message gets the first answer, and its seq where it waits for it', async () => {
    const message = { ...group(fresh('room')), payload: 'YQ==', client_msg_no: 'no' };
    const first = await system.store(message);
    const again = await system.send(message, { prefer: 'wait=5' });
    expect(again.body.data).toEqual({ ...first, message_seq: 1 });
    expect(again.headers.get('preference-applied')).toBe('wait=5');
    expect(await system.log(message)).toHaveLength(1);
  });

  test('of a message that has expired stores nothing', async () => {
    const message = { ...group(fresh('room')), payload: 'YQ==', client_msg_no: 'no', expire: 1 };
    const first = await system.store(message);
    await waitFor(async () => (await system.log(message)).length === 0, { what: 'the message to expire' });
    expect(await system.store(message)).toEqual(first);
    const query = { channel_id: message.channel_id, channel_type: '2' };
    expect((await system.get('/channel/max_message_seq', query)).body).toEqual({ message_seq: 1 });
  });

  test('counts by sender and channel: elsewhere the same number is another message', async () => {
    const [room, other, ann] = [fresh('room'), fresh('room'), fresh('ann')];
    const ids: number[] = [];
    for (const to of [
      group(room),
      group(other),
      { channel_id: room, channel_type: 3 },
      { channel_id: ann, channel_type: 1 },
    ]) {
      for (const from_uid of ['', 'ann', 'Ann']) {
        ids.push((await system.store({ ...to, from_uid, payload: 'YQ==', client_msg_no: 'no' })).message_id);
      }
    }
    expect(new Set(ids).size).toBe(12);
    expect((await system.log(group(room))).map(({ from_uid }) => from_uid)).toEqual(['', 'ann', 'Ann']);
  });

  test('of a batch is no repeat of a send to subscribers, nor of another sender', async () => {
    const [ann, ben, uid] = [fresh('ann'), fresh('ben'), fresh('u')];
    const batch = { from_uid: ann, subscribers: [uid], payload: 'YQ==', client_msg_no: 'no' };
    await system.store(batch);
    await system.sendBatch(batch);
    await system.sendBatch({ ...batch, from_uid: ben });
    await system.settled();
    expect(await system.log(personal(uid, ann))).toHaveLength(2);
    expect(await system.log(personal(uid, ben))).toHaveLength(1);
  });

  test('with other recipients at the same time is refused, and reaches nobody else', async () => {
    const ann = fresh('ann');
    const prefixes = [fresh('u'), fresh('v')];
    const answers = await Promise.all(
      prefixes.map((prefix) =>
        system.post('/message/sendbatch', {
          from_uid: ann,
          subscribers: names(20_000, prefix),
          payload: 'YQ==',
          client_msg_no: 'no',
        }),
      ),
    );
    expect(answers.map(({ status }) => status).sort()).toEqual([200, 409]);
    await system.settled();
    const stored = await Promise.all(
      prefixes.map(async (prefix) => (await system.log(personal(`${prefix}1`, ann))).length),
    );
    expect(stored).toEqual(answers.map(({ status }) => (status === 200 ? 1 : 0)));
  });

  test('without a number is a new message', async () => {
    const channel = group(fresh('room'));
    for (const client_msg_no of [undefined, '', null])
      await system.store({ ...channel, payload: 'YQ==', client_msg_no });
    const log = await system.log(channel);
    expect(new Set(log.map((message) => message.client_msg_no)).size).toBe(3);
  });

  test('counts from the first acceptance for IDEMPOTENCY_TTL; repeats do not prolong it', async () => {
    const message = { ...group(fresh('room')), payload: 'YQ==', client_msg_no: 'no' };
    const send = async () => (await shortLived.send(message)).body.data.message_id;
    const first = await send();
    expect(await send()).toBe(first);
    await waitFor(async () => (await send()) !== first, { what: 'the number to be forgotten' });
  });
});

test('a batch whose API was killed half-way is completed by its repeat, each recipient once', async () => {
  const dying = await startApi(system.config);
  const ann = fresh('ann');
  const uids = names(30_000, fresh('u'));
  const batch = { from_uid: ann, subscribers: uids, payload: base64('x'), client_msg_no: 'no' };
  const before = new Set(await system.redis.client.keys('r:{b*'));
  const cutOff = apiClient(dying.address)
    .sendBatch(batch)
    .catch(() => undefined);
  const isBegun = async () => (await system.redis.client.keys('r:{b*')).some((key) => !before.has(key));
  await waitFor(isBegun, { everyMs: 1, what: 'the batch to be begun' });
  await dying.process.kill('SIGKILL');
  const first = await cutOff;
  const { body } = await system.sendBatch(batch);
  if (first) expect(body).toEqual(first.body);
  expect(body).toMatchObject({ accepted: 30_000, fail_uids: [] });
  await waitFor(async () => (await system.progress(body.batch_no)).state === 'done', {
    what: 'the batch to be stored',
  });
  const random = seededRandom();
  for (const uid of upTo(50).map(() => uids[random.whole(0, uids.length - 1)] ?? '')) {
    expect((await system.log(personal(uid, ann))).map(text)).toEqual(['x']);
  }
});
