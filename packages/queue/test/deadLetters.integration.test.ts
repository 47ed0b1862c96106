import { LETTER_CODES, type LetterCode } from '@ruyi/contracts';
import {
  addDeadLetter,
  claimLetter,
  DEAD,
  DeadLetters,
  type Letter,
  type NewLetter,
  openDeadLetters,
  settleRetried,
} from '@ruyi/queue';
import { keys, shardOf } from '@ruyi/store';
import { waitFor } from '@ruyi/testkit';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { howToMend, whatIsWrong } from '../src/deadLetters/letterCodes.ts';
import { LIMITS, message, names, testLanes } from './harness.ts';

const lanes = testLanes();
const { shards } = LIMITS;
let dead: DeadLetters;
let worker: { close(): Promise<void> };
beforeEach(() => {
  dead = new DeadLetters(lanes.queues, shards);
  worker = openDeadLetters(lanes.connect());
});
afterEach(() => worker.close());

const recipients = (uids: string[], ref = '107k', no?: string): NewLetter => ({
  queue: 'fanout.1',
  name: 'broadcast',
  reason: 'WRONGTYPE',
  data: {
    ref,
    ...(no ? { no } : {}),
    from: 'ann',
    chunks: [{ chunk: 0, start: 0, at: uids.map((_, i) => i), uids: uids.join('\n') }],
  },
  problems: [{ code: 'wrong_type', reason: 'WRONGTYPE', count: uids.length, place: 'log', found: 'string' }],
});
const single = (id: number, ch = '2:room'): NewLetter => ({
  queue: 'send.0',
  name: 'send',
  reason: 'WRONGTYPE',
  data: { items: [message(id, { ch })] },
  problems: [{ code: 'wrong_type', reason: 'WRONGTYPE', count: 1, place: 'log', found: 'string' }],
});
const add = (part: string, letter: NewLetter) => addDeadLetter(lanes.queues, part, letter, { shards });
const there = (count: number) => waitFor(async () => (await dead.count()) === count, { what: `${count} letters` });
const all = async () => {
  const letters: Letter[] = [];
  for await (const letter of dead.each()) letters.push(letter);
  return letters;
};

test('letters with equal reasons are one group for each batch, and one for all single messages', async () => {
  for (const n of [1, 2, 3]) await add(`a-${n}`, recipients(names(50, `u${n}-`)));
  await add('b', recipients(names(7), '2k9', 'no9'));
  for (const n of [1, 2]) await add(`m-${n}`, single(n, `2:room${n}`));
  await there(6);
  const { total, unread, more, groups } = await dead.groups();
  expect({ total, unread, more }).toEqual({ total: 6, unread: 0, more: 0 });
  const log = keys.log(shardOf('1:ann@u0', shards), '1:ann@u0');
  expect(
    groups.map(({ kind, batch, broadcast, count, letters }) => ({ kind, batch, broadcast, count, letters })),
  ).toEqual([
    { kind: 'message', batch: undefined, broadcast: undefined, count: 2, letters: 2 },
    { kind: 'recipients', batch: '2k9', broadcast: 'no9', count: 7, letters: 1 },
    { kind: 'recipients', batch: '107k', broadcast: undefined, count: 150, letters: 3 },
  ]);
  expect(groups[1]).toMatchObject({
    title: `WRONGTYPE: ${log} is a string where a log (a sorted set) should be`,
    fix: `DEL or RENAME ${log}, then \`ruyi dead retry dead-b\``,
    samples: names(7).map((uid) => ({ uid, key: keys.log(shardOf(`1:ann@${uid}`, shards), `1:ann@${uid}`) })),
  });
  expect(groups[2]?.samples).toHaveLength(10);
  expect(groups[2]?.fix).toContain('ruyi dead retry --broadcast 107k');
  for (const broadcast of ['no9', '2k9'])
    expect((await dead.groups({ broadcast })).groups.map(({ count }) => count)).toEqual([7]);
  expect((await dead.groups({ code: 'refused' })).groups).toEqual([]);
});

test('pages go over all letters once, also if letters are dropped meanwhile', async () => {
  const parts = names(60, 'p');
  for (const part of parts) await add(part, single(1));
  await there(60);
  const seen: string[] = [];
  let cursor: string | undefined;
  do {
    const page: { letters: Letter[]; cursor?: string } = await dead.page({}, { limit: 7, cursor });
    seen.push(...page.letters.map(({ id }) => id));
    expect(page.letters.length).toBeLessThanOrEqual(7);
    for (const { id } of page.letters.slice(0, 3)) expect(await dead.drop(id)).toBe(true);
    cursor = page.cursor;
  } while (cursor !== undefined);
  expect(seen.toSorted()).toEqual(parts.map((part) => `dead-${part}`).toSorted());
  expect(await dead.page({}, { cursor: 'no cursor' })).toMatchObject({ letters: expect.any(Array) });
});

test('what an earlier version wrote is read, tried again under its id, and then known better', async () => {
  const { queues } = lanes;
  const uids = names(3);
  const { queue, name, data } = recipients(uids);
  const old = { queue, name, reason: 'WRONGTYPE Operation against a key', data };
  const id = 'dead-retry-dead-107k.0.0.2000-7-0-1.1-7-0';
  await queues.dead.add(DEAD.name, old, { jobId: id });
  await queues.dead.add(DEAD.name, { ...old, data: { ...Object(data), cmd: 1 } }, { jobId: 'dead-command' });
  await there(2);
  const of = (letters: Letter[]) => letters.find((letter) => letter.id === id);
  expect(of(await all())).toMatchObject({
    ...{ kind: 'recipients', batch: '107k', from: 'ann', count: 3, tries: 2, isRetryable: true },
    problems: [{ code: 'wrong_type', place: 'log', count: 3 }],
  });
  const commands = (await dead.show('dead-command'))?.problems[0]?.samples ?? [];
  expect(commands.map(({ key }) => key)).toEqual(uids.map((uid) => keys.inbox(shardOf(uid, shards), uid)));
  expect(await dead.retry(id)).toEqual({ id, tries: 3 });
  expect(of(await all())).toMatchObject({ retryingSince: expect.any(Number) });
  const [job] = await queues.lane('fanout', 1).getWaiting();
  const retried = { id, tries: 3, firstAt: expect.any(Number) };
  expect(job?.data).toEqual({ ...Object(data), letter: retried });
  await addDeadLetter(queues, 'ignored', recipients(uids.slice(1)), { shards, retried: job?.data.letter });
  expect(await dead.outcome({ id, tries: 3 })).toBe('failed');
  expect(of(await all())).toMatchObject({ tries: 3, count: 2, firstAt: job?.data.letter.firstAt });
});

test('a retry that is repeated adds one job, until it is known how it ended', async () => {
  const { queues } = lanes;
  await add('x', single(1));
  await there(1);
  const retry = { id: 'dead-x', tries: 2 };
  const lane = queues.lane('send', 0);
  for (let i = 0; i < 3; i++) expect(await dead.retry('dead-x')).toEqual(retry);
  expect(await lane.getWaitingCount()).toBe(1);
  expect(await dead.outcome(retry)).toBe('running');
  // Lost, as by a Redis that forgot its last moments: the same retry adds it again.
  const [job] = await lane.getWaiting();
  await job?.remove();
  expect(await dead.retry('dead-x')).toEqual(retry);
  const [again] = await lane.getWaiting();
  expect(again?.id).toBe(job?.id);
  await settleRetried(queues, { ...retry, firstAt: 0 });
  expect(await dead.outcome(retry)).toBe('done');
  expect(await dead.retry('dead-x')).toEqual({ id: 'dead-x', refused: 'no dead letter has this id' });
  expect(await dead.drop('dead-x')).toBe(false);
});

test('only one job may try a letter, and what a try came to is noted once', async () => {
  const { queues } = lanes;
  const letter = single(1);
  await add('x', letter);
  await there(1);
  // A replay of the job that failed.
  await add('x', single(2));
  expect(await all()).toMatchObject([{ id: 'dead-x', tries: 1 }]);
  expect((await queues.dead.getJob('dead-x'))?.data.data).toEqual(letter.data);
  const first = { id: 'dead-x', tries: 1 };
  expect(await claimLetter(queues, first, 'a job')).toBe('claimed');
  expect(await claimLetter(queues, first, 'a job')).toBe('claimed');
  expect(await claimLetter(queues, first, 'another job')).toBe('taken');
  expect(await dead.retry('dead-x')).toHaveProperty('refused', 'somebody else tries it again just now');
  const retried = { ...first, tries: 2, firstAt: 0 };
  await addDeadLetter(queues, 'y', single(1), { shards, retried });
  // Whoever still thinks that it is the second try comes too late.
  expect(await claimLetter(queues, first, 'another job')).toBe('taken');
  await settleRetried(queues, retried);
  expect(await all()).toMatchObject([{ id: 'dead-x', tries: 2 }]);
  expect(await claimLetter(queues, retried, 'another job')).toBe('claimed');
  expect(await claimLetter(queues, { id: 'nobody', tries: 1 }, 'a job')).toBe('gone');
});

test('a letter of a job that is no object cannot be tried again, and says so', async () => {
  await add('odd', { queue: 'send.0', name: 'send', reason: 'invalid send job: : expected object', data: [1] });
  await add('torn', { queue: 'fanout.1', name: 'unreadable', reason: 'job data is no JSON', raw: '{' });
  await there(2);
  expect((await all()).map(({ isRetryable, problems }) => [isRetryable, problems[0]?.code]).toSorted()).toEqual([
    [false, 'invalid_job'],
    [false, 'unreadable_job'],
  ]);
  for (const id of await all()) expect(await dead.retry(id.id)).toHaveProperty('refused');
  expect(await dead.show('dead-torn')).toMatchObject({ raw: '{', problems: [{ code: 'unreadable_job' }] });
});

test.each<LetterCode>([...LETTER_CODES])('the code %s comes with what is wrong and how it is mended', (code) => {
  const found = { code, reason: 'a reason', key: 'r:{1}:log:2:room', place: 'log' as const, found: 'hash' };
  expect(whatIsWrong(found)).toMatch(/\S/);
  expect(howToMend(found, 'ruyi dead retry x')).toMatch(/ruyi dead retry x|drop/);
});
