import { expect, test } from 'vitest';
import { base64, fresh, group, names, personal, testSystem, text, upTo } from './harness.ts';

const system = testSystem(['worker']);
const command = { sync_once: 1 };

test('a command to a user is in both inboxes and in no log, and shows each of them the other', async () => {
  const [ann, ben] = [fresh('ann'), fresh('ben')];
  await system.store({ header: command, from_uid: ann, channel_id: ben, channel_type: 1, payload: base64('read') });
  for (const [uid, peer] of [
    [ann, ben],
    [ben, ann],
  ]) {
    const [received, ...more] = await system.inbox(uid ?? '');
    expect(more).toEqual([]);
    expect(received).toMatchObject({ channel_id: peer, channel_type: 1, from_uid: ann, message_seq: 1 });
    expect(received?.header).toEqual({ no_persist: 0, red_dot: 0, sync_once: 1 });
  }
  expect(await system.log(personal(ann, ben))).toEqual([]);
});

test('a command of the system user is in the inbox of its recipient only', async () => {
  const ann = fresh('ann');
  await system.store({ header: command, channel_id: ann, channel_type: 1, payload: base64('reload') });
  await system.store({
    header: command,
    from_uid: ann,
    channel_id: '____system',
    channel_type: 1,
    payload: base64('log'),
  });
  const shown = (await system.inbox(ann)).map(({ from_uid, channel_id }) => [from_uid, channel_id]);
  expect(shown).toEqual([
    ['', '____system'],
    [ann, '____system'],
  ]);
  expect(await system.inbox('____system')).toEqual([]);
});

test('a command to a group is in the inbox of everyone who subscribed before, the sender too if it did', async () => {
  const channel_id = fresh('room');
  const [ann, ben, carl] = [fresh('ann'), fresh('ben'), fresh('carl')];
  await system.post('/channel/subscriber_add', { ...group(channel_id), subscribers: [ann, ben] });
  await system.store({ header: command, from_uid: ann, ...group(channel_id), payload: base64('one') });
  await system.post('/channel/subscriber_add', { ...group(channel_id), subscribers: [carl] });
  await system.post('/channel/subscriber_remove', { ...group(channel_id), subscribers: [ben] });
  await system.store({ header: command, from_uid: ben, ...group(channel_id), payload: base64('two') });
  expect((await system.inbox(ann)).map(text)).toEqual(['one', 'two']);
  expect((await system.inbox(ben)).map(text)).toEqual(['one']);
  expect((await system.inbox(carl)).map(text)).toEqual(['two']);
  expect((await system.inbox(carl))[0]).toMatchObject({ channel_id, channel_type: 2, from_uid: ben });
  expect(await system.log(group(channel_id))).toEqual([]);
});

test('a command to a group without subscribers is answered and written nowhere', async () => {
  const channel_id = fresh('room');
  await system.store({ header: command, from_uid: 'ann', ...group(channel_id), payload: 'YQ==' });
  expect(await system.log(group(channel_id))).toEqual([]);
});

test('a command to one channel comes after the commands that were answered before it', async () => {
  const channel_id = fresh('room');
  const ann = fresh('ann');
  await system.post('/channel/subscriber_add', { ...group(channel_id), subscribers: [ann] });
  for (const n of upTo(20)) await system.send({ header: command, ...group(channel_id), payload: base64(`${n}`) });
  await system.settled();
  expect((await system.inbox(ann)).map(text)).toEqual(upTo(20).map(String));
  expect((await system.inbox(ann)).map(({ message_seq }) => message_seq)).toEqual(upTo(20));
});

test('a command to subscribers is in the inbox of each, in no log, and shows the sender as its channel', async () => {
  const ann = fresh('ann');
  const uids = names(3, fresh('u'));
  const data = await system.store({
    header: command,
    from_uid: ann,
    subscribers: [...uids, ...uids],
    payload: base64('all'),
  });
  for (const uid of uids) {
    const [received, ...more] = await system.inbox(uid);
    expect(more).toEqual([]);
    expect(received).toMatchObject({ channel_id: ann, channel_type: 1, client_msg_no: data.client_msg_no });
    expect(await system.log(personal(uid, ann))).toEqual([]);
  }
  expect(await system.inbox(ann)).toEqual([]);
});
