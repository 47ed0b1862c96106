import { waitFor } from '@ruyi/testkit';
import { describe, expect, test } from 'vitest';
import {
  type Answer,
  apiClient,
  fresh,
  group,
  names,
  startApi,
  startApp,
  testSystem,
  unfinishedJobs,
  upTo,
} from './harness.ts';

const MOST = 5;

const system = testSystem([], { MAX_BACKLOG: String(MOST) });
const other = testSystem([], { MAX_BACKLOG: String(MOST) });

type Outcome = Answer<object & { code?: string }>;

function overloaded(answer: Outcome): void {
  expect([answer.status, answer.body.code]).toEqual([429, 'overloaded']);
  expect(Number(answer.headers.get('retry-after'))).toBeGreaterThan(0);
}

/** Repeats until this many were accepted. Some are refused too early, because a job is counted twice for a moment. */
async function accepted(count: number, ask: () => Promise<Outcome>): Promise<void> {
  let taken = 0;
  await waitFor(
    async () => {
      const answer = await ask();
      if (answer.status === 200) taken++;
      else overloaded(answer);
      return taken === count;
    },
    { what: `${count} requests to be accepted` },
  );
}

const send = () => system.send({ ...group(fresh('room')), payload: 'YQ==' });
const sendTo = (count: number) => system.sendBatch({ subscribers: names(count, fresh('u')), payload: 'YQ==' });

test('beyond MAX_BACKLOG single sends are refused, nothing is queued, and what waits is worked off', async () => {
  await accepted(MOST, send);
  const before = await unfinishedJobs(system.redis);
  expect(before).toBe(MOST);
  for (const answer of await Promise.all(upTo(20).map(send))) overloaded(answer);
  expect(await unfinishedJobs(system.redis)).toBe(before);
  // Reading goes on, and so does fan-out.
  expect((await system.post('/message/sync', { uid: 'u' })).status).toBe(200);
  await accepted(1, () => sendTo(MOST));
  overloaded(await sendTo(1));
  overloaded(await system.send({ subscribers: [fresh('u')], payload: 'YQ==' }));
  overloaded(await system.send({ header: { sync_once: 1 }, ...group(fresh('room')), payload: 'YQ==' }));

  const worker = await startApp('worker', system.config);
  await accepted(3 * MOST, send);
  await accepted(3, () => sendTo(MOST));
  await system.settled();
  expect(await worker.kill('SIGTERM')).toEqual({ code: 0, signal: null });
});

test('a full fan-out backlog refuses no single send; a batch larger than the bound never fits', async () => {
  const batch = (count: number) => other.sendBatch({ subscribers: names(count, fresh('u')), payload: 'YQ==' });
  overloaded(await batch(MOST + 1));
  expect(await unfinishedJobs(other.redis)).toBe(0);
  await accepted(1, () => batch(MOST));
  for (const answer of await Promise.all(upTo(5).map(() => batch(1)))) overloaded(answer);
  await accepted(MOST, () => other.send({ ...group(fresh('room')), payload: 'YQ==' }));
});

test('a refused request leaves no record behind: its repeat is a first try', async () => {
  const message = { ...group(fresh('room')), payload: 'YQ==', client_msg_no: 'no' };
  const count = async () => (await other.redis.client.keys('*:idem:*')).length;
  await waitFor(async () => (await other.send({ ...group(fresh('room')), payload: 'YQ==' })).status === 429);
  const before = await count();
  overloaded(await other.send(message));
  expect(await count()).toBe(before);
  const worker = await startApp('worker', other.config);
  await waitFor(async () => (await other.send(message)).status === 200, { what: 'room for one more' });
  await other.settled();
  expect(await other.log(message)).toHaveLength(1);
  expect(await worker.kill('SIGTERM')).toEqual({ code: 0, signal: null });
});

describe('a command to a group', () => {
  const commands = testSystem([], { MAX_BACKLOG: String(MOST) });
  const command = (room: string, more: object = {}) =>
    commands.send({ header: { sync_once: 1 }, ...group(room), payload: 'YQ==', ...more });
  const groupOf = async (count: number) => {
    const room = fresh('room');
    const subscribers = names(count, fresh('u'));
    if (count > 0) await commands.post('/channel/subscriber_add', { ...group(room), subscribers });
    return room;
  };
  const waiting = async (address: string) => {
    const metrics = await (await fetch(`${address}/metrics`)).text();
    return Number(/^ruyi_backlog_recipients{kind="fanout"} (\d+)/m.exec(metrics)?.[1]);
  };

  test('counts its subscribers: when it comes, and while it waits', async () => {
    overloaded(await command(await groupOf(MOST + 1)));
    expect(await unfinishedJobs(commands.redis)).toBe(0);
    const room = await groupOf(MOST - 1);
    await accepted(1, () => command(room, { client_msg_no: 'no' }));
    // Another process has not seen it being queued; it knows only what it measures.
    const other = await startApi(commands.config);
    await waitFor(async () => (await waiting(other.address)) === MOST - 1, { what: 'the command to be measured' });
    const large = { header: { sync_once: 1 }, ...group(await groupOf(2)), payload: 'YQ==' };
    for (const api of [commands, apiClient(other.address)]) overloaded(await api.send(large));
    expect(await other.process.kill('SIGTERM')).toEqual({ code: 0, signal: null });
    await accepted(1, async () => command(await groupOf(0)));
    expect(await unfinishedJobs(commands.redis)).toBe(2);
  });

  test('is one job however often it is sent again, also when the group has grown meanwhile', async () => {
    const worker = await startApp('worker', commands.config);
    await commands.settled();
    expect(await worker.kill('SIGTERM')).toEqual({ code: 0, signal: null });
    const room = await groupOf(1);
    await accepted(1, () => command(room, { client_msg_no: 'no' }));
    await commands.post('/channel/subscriber_add', { ...group(room), subscribers: [fresh('late')] });
    await accepted(1, () => command(room, { client_msg_no: 'no' }));
    expect(await unfinishedJobs(commands.redis)).toBe(1);
  });
});
