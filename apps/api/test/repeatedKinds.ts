import type { MessageObject, SendAnswer, SendBatchAnswer } from '@ruyi/contracts';
import { expect } from 'vitest';
import { type Answer, base64, fresh, group, personal, type System } from './harness.ts';

/** A request of one of the kinds that can be repeated under a client_msg_no, and where it must be found. */
export interface Sent {
  path: '/message/send' | '/message/sendbatch';
  body: Record<string, unknown> & { subscribers?: string[]; header?: Record<string, number> };
  /** the same to another place, which is another key */
  elsewhere: Record<string, unknown>;
  /** the places that must hold the message once; none with no_persist */
  places: ((on: System) => Promise<MessageObject[]>)[];
}

const NAMES = ['ann', 'ben', 'carl', 'dora'];
const logOf = (reader: string, peer: string) => (on: System) => on.log(personal(reader, peer));
const inboxOf = (uid: string) => (on: System) => on.inbox(uid);

/** A message to one channel. */
export function toChannel(kind: 'group' | 'personal', header: Record<string, number>) {
  return async (on: System): Promise<Sent> => {
    const [from_uid, to, other, room] = [fresh('ann'), fresh('ben'), fresh('carl'), fresh('room')];
    if (kind === 'group') await on.post('/channel/subscriber_add', { ...group(room), subscribers: [from_uid, to] });
    const channel = kind === 'group' ? group(room) : { channel_id: to, channel_type: 1 };
    const inLog = [(read: System) => read.log({ ...channel, login_uid: from_uid })];
    const places = header.no_persist ? [] : header.sync_once ? [inboxOf(from_uid), inboxOf(to)] : inLog;
    return {
      path: '/message/send',
      body: { header, ...channel, from_uid },
      elsewhere: kind === 'group' ? group(fresh('room')) : { channel_id: other, channel_type: 1 },
      places,
    };
  };
}

/** A message to many. */
export function toMany(path: Sent['path'], header: Record<string, number>, refused: string[] = []) {
  return async (): Promise<Sent> => {
    const from_uid = fresh('ann');
    const uids = NAMES.map(fresh);
    const place = (uid: string) => (header.sync_once ? inboxOf(uid) : logOf(uid, from_uid));
    return {
      path,
      body: { header, from_uid, subscribers: [...refused, ...uids, ...uids.slice(0, 1), ...refused.toReversed()] },
      elsewhere: { from_uid: fresh('ann') },
      places: header.no_persist ? [] : uids.map(place),
    };
  };
}

export const COMMAND = { sync_once: 1 };
export const UNSTORED = { no_persist: 1 };
export const REFUSED = ['@', '', 'x\ny', 'a&b', '\ud800'];
export const KINDS: [string, (on: System) => Promise<Sent>][] = [
  ['a message to a group', toChannel('group', {})],
  ['a personal message', toChannel('personal', {})],
  ['a personal command', toChannel('personal', COMMAND)],
  ['a group command', toChannel('group', COMMAND)],
  ['a message that is stored nowhere', toChannel('group', UNSTORED)],
  ['a personal command that is stored nowhere', toChannel('personal', { ...COMMAND, ...UNSTORED })],
  ['a message to subscribers', toMany('/message/send', {})],
  ['a command to subscribers', toMany('/message/send', COMMAND)],
  ['a message to subscribers that is stored nowhere', toMany('/message/send', UNSTORED)],
  ['a batch', toMany('/message/sendbatch', {}, REFUSED)],
  ['a batch of commands', toMany('/message/sendbatch', COMMAND, REFUSED)],
  ['a batch that is stored nowhere', toMany('/message/sendbatch', UNSTORED, REFUSED)],
];

export type Outcome = Answer<SendAnswer & SendBatchAnswer & { code?: string; msg?: string }>;
export type Ask = (changes?: Record<string, unknown>) => Promise<Outcome>;

export const asker =
  (on: System, { path, body }: Sent, no: string): Ask =>
  (changes = {}) =>
    on.post(path, { ...body, payload: base64('hi'), client_msg_no: no, ...changes });

export const isReplayed = ({ headers }: { headers: Headers }) => headers.get('idempotent-replayed');

/** Requests that are equal to the first one, but written differently. */
function sameRequests({ body: { subscribers, header } }: Sent): Record<string, unknown>[] {
  const zeros = { no_persist: 0, red_dot: 0, sync_once: 0 };
  const same = [
    {},
    { header: { ...zeros, ...header } },
    { payload: base64('hi').replaceAll('=', '') },
    { topic: null },
  ];
  const reordered = subscribers
    ? [{ subscribers: subscribers.toReversed() }, { subscribers: [...new Set(subscribers)] }]
    : [];
  return [...same, ...reordered];
}

/** Requests that differ from the first one in one thing. */
export function otherRequests({ path, body: { subscribers, header = {} } }: Sent): Record<string, unknown>[] {
  const flip = (flag: string) => ({ header: { ...header, [flag]: header[flag] ? 0 : 1 } });
  const others: Record<string, unknown>[] = [
    { payload: base64('ha') },
    flip('red_dot'),
    flip('sync_once'),
    flip('no_persist'),
    { setting: 1 },
    { topic: 'weather' },
    { expire: 3600 },
  ];
  if (path === '/message/send') others.push({ stream_no: 'flow' });
  if (!subscribers) return others;
  const valid = [...new Set(subscribers)].filter((uid) => /^\w+-\d+$/.test(uid));
  others.push(
    { subscribers: [...subscribers, fresh('eve')] },
    { subscribers: valid.slice(1) },
    { subscribers: [fresh('eve')] },
  );
  // One of the invalid strings becomes another one, which UTF-8 would not tell from it; or two of them run together.
  if (path === '/message/sendbatch') {
    const swap = (from: string, ...to: string[]) => subscribers.flatMap((uid) => (uid === from ? to : [uid]));
    others.push(
      { subscribers: swap('\ud800', '\ud801') },
      { subscribers: swap('x\ny', 'x', 'y') },
      { subscribers: valid },
    );
  }
  return others;
}

/** What the answer to a repeat must say, and that every request that differs is refused. */
export async function expectGuarded(sent: Sent, ask: Ask, first: Outcome): Promise<void> {
  // A repeat in another order lists the refused uids in its own order.
  const inAnyOrder = ({ body }: Outcome) => ({ ...body, fail_uids: [...(body.fail_uids ?? [])].sort() });
  for (const changes of sameRequests(sent)) {
    const again = await ask(changes);
    expect([changes, again.status, isReplayed(again)]).toEqual([changes, 200, 'true']);
    expect(inAnyOrder(again)).toEqual(inAnyOrder(first));
    if (!('subscribers' in changes)) expect(again.body).toEqual(first.body);
  }
  for (const changes of otherRequests(sent)) {
    const other = await ask(changes);
    expect([changes, other.status, other.body.code]).toEqual([changes, 409, 'idempotency_conflict']);
    expect(other.body.msg).toMatch(/^client_msg_no: /);
    expect(isReplayed(other)).toBeNull();
  }
}

export async function expectOnceEach(on: System, sent: Sent): Promise<void> {
  for (const place of sent.places) {
    const messages = await place(on);
    expect(messages.map(({ payload, message_seq }) => [payload, message_seq])).toEqual([[base64('hi'), 1]]);
  }
}

export const idOf = ({ body }: Outcome) => body.batch_no ?? body.data.message_id;
