import type { BroadcastListAnswer, StatusAnswer } from '@ruyi/contracts';
import { eachLimited } from '@ruyi/flow';
import { waitFor } from '@ruyi/testkit';
import { describe, expect, test } from 'vitest';
import { BEGUN, broadcasting, expectEquation, logLengths } from './broadcasting.ts';
import { sizes } from './broadcastSizes.ts';
import { fresh, group, names, personal, startApp, testSystem, upTo } from './harness.ts';

const system = testSystem(['worker']);
const { create, upload, act, show, started, ended, until, failures } = broadcasting(system);
const redis = () => system.redis.client;
const list = async (query: Record<string, string> = {}) =>
  (await system.get<BroadcastListAnswer>('/broadcasts', query)).body;
const seqs = async (uid: string, from: string) =>
  (await system.log(personal(uid, from))).map(({ message_seq }) => message_seq);
/** Whose logs with a sender there are, and how long each is. */
async function logs(uids: string[], from: string): Promise<number[]> {
  const lengths: number[] = [];
  for (const uid of uids) lengths.push((await seqs(uid, from)).length);
  return lengths;
}
const keysOf = async (no: string) => (await redis().keys('r:*')).filter((key) => key.includes(no));
/** Resolves when nothing is kept of one that has ended but what answers need, and the body. */
const freed = (no: string) =>
  waitFor(async () => (await keysOf(no)).join() === `r:{b${no}}:about`, { what: `the rest of ${no} to be freed` });

test('recipients of several parts get one message each, whatever is in several of them', async () => {
  const from = fresh('news');
  const uids = names(3000, fresh('u'));
  const no = await create({ name: 'first', from_uid: from, topic: 't', setting: 3 });
  const first = await upload(no, 7, `${uids.slice(0, 2000).join('\n')}\n${uids[0]}\nno@body\n\n`);
  expect(first.body).toMatchObject({ part: 7, accepted: 2001, duplicates: 1, invalid_count: 1 });
  await upload(no, 0, uids.slice(1500).join('\r\n'));
  expect(await show(no)).toMatchObject({ state: 'open', accepted: 3501, duplicates: 1, invalid: 1, stored: 0 });
  expect((await act(no, 'start')).body.state).toMatch(BEGUN);
  const end = await ended(no);
  expect(end).toMatchObject({
    name: 'first',
    from_uid: from,
    state: 'done',
    accepted: 3501,
    duplicates: 501,
    total: 3000,
  });
  expect(end).toMatchObject({ invalid: 1, stored: 3000, failed: 0, cancelled: 0, eta_seconds: 0, rate_now: 0 });
  for (const uid of [uids[0], uids[1700], uids[2999]]) {
    const [message, ...more] = await system.log(personal(uid ?? '', from));
    expect([message, more]).toEqual([
      expect.objectContaining({ message_seq: 1, from_uid: from, topic: 't', setting: 3, timestamp: end.started_at }),
      [],
    ]);
  }
  expect((await act(no, 'start')).body.state).toBe('done');
  for (const action of ['pause', 'resume', 'cancel']) expect((await act(no, action)).body.code).toBe('wrong_state');
  await freed(no);
});

test('commands reach inboxes, each with an id of its own; the system user has none', async () => {
  const uids = names(50, fresh('c'));
  const no = await create({ header: { sync_once: 1 } });
  expect((await upload(no, 0, `${uids.join('\n')}\n____system`)).body).toMatchObject({
    accepted: 50,
    invalid_count: 1,
  });
  await act(no, 'start');
  expect(await ended(no)).toMatchObject({ total: 50, stored: 50 });
  const ids = new Set<number>();
  for (const uid of uids) for (const { message_id } of await system.inbox(uid)) ids.add(message_id);
  expect(ids.size).toBe(50);
});

test('nobody is a list as well', async () => {
  const no = await started([]);
  expect(await ended(no)).toMatchObject({ state: 'done', accepted: 0, total: 0, stored: 0 });
});

describe('while it runs', () => {
  const slow = { rate: 400 };

  test('paused, nothing more is stored; resumed, it goes on to the end', async () => {
    const from = fresh('news');
    const uids = names(1200, fresh('p'));
    const no = await started(uids, { ...slow, from_uid: from });
    await until(no, 'to begin', ({ stored }) => stored > 0);
    expect((await act(no, 'pause')).body.state).toBe('paused');
    // Its coordinator has ended: there is no job that could store anything.
    await waitFor(async () => (await redis().zcard('{r.broadcasts}:broadcasts:delayed')) === 0);
    await waitFor(async () => (await redis().llen('{r.broadcasts}:broadcasts:active')) === 0);
    const { stored } = await show(no);
    expect(stored).toBeLessThan(1200);
    const before = await redis().time();
    await waitFor(async () => Number((await redis().time())[0]) - Number(before[0]) >= sizes.pausedSeconds, {
      deadlineMs: sizes.deadlineMs,
    });
    expect(await show(no)).toMatchObject({ state: 'paused', stored, eta_seconds: 0 });
    expect((await act(no, 'resume')).body.state).toBe('running');
    expectEquation(await ended(no));
    expect(await logs(uids, from)).toEqual(uids.map(() => 1));
  });

  test('cancelled, nobody after it gets it, and what was not sent is freed', async () => {
    const from = fresh('news');
    const { recipients, rate } = sizes.cancelled;
    const no = await started(names(recipients, fresh('x')), { rate, from_uid: from });
    await until(no, 'to be a quarter done', ({ stored }) => stored >= recipients / 4);
    const told = (await act(no, 'cancel')).body;
    expect(told.state).toBe('cancelled');
    const end = await ended(no);
    expect(end).toMatchObject({ state: 'cancelled', cancelled: told.cancelled, eta_seconds: 0 });
    expectEquation(end);
    expect(end.cancelled).toBeGreaterThan(0);
    expect(await logLengths(redis(), from)).toEqual(new Map([[1, end.stored]]));
    await freed(no);
  });

  test("its rate is kept by Redis' clock, while one without a rate runs", async () => {
    const { rate, seconds, others } = sizes.rated;
    // More than it can store until it is cancelled.
    const recipients = rate * (seconds + 20);
    const no = await started(names(recipients, fresh('r')), { rate, from_uid: fresh('news') });
    await until(no, 'to begin', ({ stored }) => stored > 0);
    const at = async () => {
      const [time, about] = (await redis().multi().time().hget(`r:{b${no}}:about`, 'claimed').exec()) ?? [];
      const [whole = 0, micros = 0] = Array.isArray(time?.[1]) ? time[1].map(Number) : [];
      return { ms: whole * 1000 + micros / 1000, claimed: Number(about?.[1]) };
    };
    const first = await at();
    const other = await started(names(others, fresh('o')), { from_uid: fresh('news') });
    // A reading is off by a job, a quarter of a second, or by more while a worker is late: it catches up.
    await waitFor(
      async () => {
        const { ms, claimed } = await at();
        const measured = (1000 * (claimed - first.claimed)) / (ms - first.ms);
        const isKept = claimed < recipients && Math.abs(measured - rate) < rate / 10;
        return ms - first.ms >= 1000 * seconds && isKept;
      },
      { what: `a rate of ${rate}`, deadlineMs: 1000 * (seconds + 10) },
    );
    expect((await show(no)).rate_now).toBeGreaterThan(0);
    const running = async () => (await system.get<StatusAnswer>('/status')).body.broadcasts;
    expect((await running()).find(({ broadcast_no }) => broadcast_no === no)).toMatchObject({
      state: 'running',
      total: recipients,
    });
    expect(await ended(other)).toMatchObject({ state: 'done', stored: others });
    await act(no, 'cancel');
    expectEquation(await ended(no));
  });
});

test('start_at is kept, also by a worker that comes later; in the past it is now; it can be cancelled', async () => {
  const [seconds] = await redis().time();
  const no = await started(names(10, fresh('s')), { start_at: Number(seconds) + 4, expire: 2 });
  const never = await started(names(10, fresh('s')), { start_at: Number(seconds) + 86_400 });
  const past = await started(names(10, fresh('s')), { start_at: 1000 });
  expect(await show(never)).toMatchObject({ state: 'scheduled', started_at: 0, stored: 0 });
  expect((await act(never, 'start')).body.state).toBe('scheduled');
  expect(await ended(past)).toMatchObject({ state: 'done', stored: 10 });
  const worker = await startApp('worker', system.config);
  const end = await ended(no);
  expect(end).toMatchObject({ state: 'done', stored: 10 });
  expect(end.started_at).toBeGreaterThanOrEqual(Number(seconds) + 4);
  expect((await act(never, 'cancel')).body).toMatchObject({ state: 'cancelled', cancelled: 10 });
  expectEquation(await ended(never));
  expect(await worker.kill('SIGTERM')).toEqual({ code: 0, signal: null });
});

test('everyone who is registered, also while others register; and the subscribers of a channel, as of the start', async () => {
  const from = fresh('news');
  const { before, during } = sizes.registered;
  const [known, later] = [names(before, fresh('k')), names(during, fresh('l'))];
  const register = (uids: string[]) =>
    eachLimited(uids, 20, async (uid) => {
      expect((await system.post('/user/token', { uid, token: 't' })).status).toBe(200);
    });
  await register(known);
  const everyone = await create({ audience: { known_users: true }, from_uid: from });
  const room = group(fresh('room'));
  await system.post('/channel', { ...room, subscribers: known.slice(0, 700) });
  const subscribers = await create({ audience: room, from_uid: fresh('other') });
  expect(await show(everyone)).toMatchObject({ accepted: 0, total: 0 });
  await Promise.all([act(everyone, 'start'), act(subscribers, 'start'), register(later)]);
  const end = await ended(everyone);
  expectEquation(end);
  expect(end.duplicates).toBe(0);
  expect(end.total).toBeGreaterThanOrEqual(before);
  expect(end.total).toBeLessThanOrEqual(before + during);
  expect(await logs(known, from)).toEqual(known.map(() => 1));
  expect(await ended(subscribers)).toMatchObject({ accepted: 700, total: 700, stored: 700 });
  const nobody = await create({ audience: group(fresh('empty')) });
  await act(nobody, 'start');
  expect(await ended(nobody)).toMatchObject({ state: 'done', total: 0 });
});

test('failed ones are named with their reason; retried, each gets it once', async () => {
  const from = fresh('news');
  const uids = names(300, fresh('f'));
  const broken = [uids[3], uids[150], uids[299]].map(String);
  const keys: string[] = [];
  const first = await started(uids, { from_uid: from });
  await ended(first);
  for (const uid of broken)
    keys.push(
      ...(await redis().keys(`r:*:log:1:*${uid}*`)).filter(
        (key) => key.endsWith(`@${uid}`) || key.includes(`:${uid}@`),
      ),
    );
  expect(keys).toHaveLength(3);
  for (const key of keys) await redis().set(key, 'no log');
  const no = await started(uids, { from_uid: from });
  expect(await ended(no)).toMatchObject({ state: 'done', stored: 297, failed: 3 });
  const named = await failures(no);
  expect(named.map(({ uid }) => uid).sort()).toEqual(broken.toSorted());
  expect(named[0]).toMatchObject({
    code: 'corrupt',
    reason: expect.stringContaining('WRONGTYPE'),
    at: expect.any(Number),
  });
  // One stays broken.
  for (const key of keys.slice(1)) await redis().del(key);
  expect((await act(no, 'retry')).body.state).toMatch(BEGUN);
  expect(await ended(no)).toMatchObject({ state: 'done', stored: 299, failed: 1 });
  await redis().del(keys[0] ?? '');
  await act(no, 'retry');
  const end = await ended(no);
  expect(end).toMatchObject({ state: 'done', stored: 300, failed: 0 });
  expectEquation(end);
  expect((await act(no, 'retry')).body.state).toBe('done');
  for (const uid of broken) expect(await seqs(uid, from)).toHaveLength(1);
  expect(await failures(no)).toEqual([]);
});

test('a broadcast that fails for everybody has failed, and is done once one of them is served', async () => {
  const from = fresh('news');
  const [uid = ''] = names(1, fresh('z'));
  await ended(await started([uid], { from_uid: from }));
  const [key = ''] = (await redis().keys('r:*:log:1:*')).filter((name) => name.includes(uid));
  await redis().set(key, 'no log');
  const no = await started([uid], { from_uid: from });
  expect(await ended(no)).toMatchObject({ state: 'failed', failed: 1 });
  await redis().del(key);
  await act(no, 'retry');
  expect(await ended(no)).toMatchObject({ state: 'done', stored: 1 });
});

test('the list is newest first, in pages, by state and by sender; large batches of sendbatch are in it', async () => {
  const from = fresh('lister');
  const made: string[] = [];
  for (const _ of upTo(3)) made.push(await create({ from_uid: from }));
  const batch = await system.sendBatch({
    from_uid: from,
    subscribers: [...names(1000, fresh('b')), '@'],
    payload: 'YQ==',
  });
  await system.sendBatch({ from_uid: from, subscribers: names(999, fresh('b')), payload: 'YQ==' });
  await system.settled();
  const all = [batch.body.batch_no, ...made.toReversed()];
  const seen: string[] = [];
  let cursor = '';
  do {
    const page = await list({ from_uid: from, limit: '2', cursor });
    expect(page.broadcasts.length).toBeLessThanOrEqual(2);
    seen.push(...page.broadcasts.map(({ broadcast_no }) => broadcast_no));
    ({ cursor } = page);
  } while (cursor !== '');
  expect(seen).toEqual(all);
  const done = await list({ from_uid: from, state: 'done' });
  expect(done.broadcasts).toEqual([
    expect.objectContaining({
      broadcast_no: batch.body.batch_no,
      accepted: 1000,
      duplicates: 0,
      invalid: 1,
      total: 1000,
      stored: 1000,
    }),
  ]);
  expect(await show(batch.body.batch_no)).toEqual(done.broadcasts[0]);
  expect((await act(batch.body.batch_no, 'cancel')).body.code).toBe('wrong_state');
  for (const query of [{ state: 'none' }, { cursor: 'A!' }, { limit: '-1' }]) {
    expect((await system.get('/broadcasts', query)).status).toBe(400);
  }
});

test('the metrics count broadcasts by state and recipients by what became of them', async () => {
  const metrics = async () => (await (await fetch(`${system.address}/metrics`)).text()).split('\n');
  const no = await create();
  await waitFor(async () =>
    (await metrics()).some((line) => /^ruyi_broadcast_recipients_total\{result="stored".*\} [1-9]/.test(line)),
  );
  const lines = await metrics();
  expect(lines.some((line) => /^ruyi_broadcasts\{state="open"\} [1-9]/.test(line))).toBe(true);
  expect(lines.some((line) => /^ruyi_broadcasts\{state="done"\} [1-9]/.test(line))).toBe(true);
  await act(no, 'cancel');
});
