import type { Member } from '@ruyi/store';
import { expect, test } from 'vitest';
import type { Work } from '../src/health/readWork.ts';
import { problemsOfWork } from '../src/health/workProblems.ts';

const NOW = 1_800_000_000_000;
const MOST = { send: 1000, fanout: 5000 };
const member = (role: string, more: Partial<Member> = {}): Member => ({
  ...{ name: `${role}-1`, role, version: '1', schema: 6, lanes: 2, host: 'one', since: 0 },
  ...more,
});
const idle = { jobs: 0, recipients: 0, oldestAt: undefined, progressAt: undefined };
const lane = (name: string, more: object = {}) => ({
  ...{ kind: 'send' as const, lane: 0, queue: { name, prefix: '' }, worker: 'worker-1', ...idle },
  ...more,
});
const well: Work = {
  now: NOW,
  members: [member('worker'), member('indexer'), member('api')],
  lanes: [lane('send.0'), lane('fanout.0', { kind: 'fanout' })],
  index: { ...idle, references: 0 },
  deadLetters: 0,
};
const secondsAgo = (seconds: number) => NOW - seconds * 1000;
const messages = (work: Partial<Work>) =>
  Object.fromEntries(
    Object.entries(problemsOfWork({ ...well, ...work }, MOST))
      .filter(([, problems]) => problems.length > 0)
      .map(([check, problems]) => [check, problems.map(({ message }) => message)]),
  );

test('nothing is wrong with an installation that idles', () => {
  expect(messages({})).toEqual({});
});

test('a queue whose oldest job waits for over a minute, and on which nothing was begun or finished, stands still', () => {
  const stuck = { jobs: 3, oldestAt: secondsAgo(75), progressAt: secondsAgo(70) };
  expect(messages({ lanes: [lane('send.0', stuck), lane('send.1')] })).toEqual({
    backlog: ['send.0: the oldest job has waited 75 s, and none was begun or finished for 60 s'],
  });
  expect(messages({ index: { ...idle, ...stuck, references: 0, progressAt: undefined } }).backlog).toEqual([
    expect.stringMatching(/^index: /),
  ]);
  // A large backlog that is being worked is none of these.
  expect(messages({ lanes: [lane('send.0', { ...stuck, progressAt: secondsAgo(2) })] })).toEqual({});
  expect(messages({ lanes: [lane('send.0', { ...stuck, oldestAt: secondsAgo(40) })] })).toEqual({});
});

test('a full backlog is named with its bound', () => {
  expect(
    messages({ lanes: [lane('send.0', { recipients: 600 }), lane('send.1', { recipients: 400 })] }).backlog,
  ).toEqual([expect.stringMatching(/^about 1000 recipients wait on the send lanes, and MAX_BACKLOG is 1000: /)]);
});

test('roles that nobody has, and lanes without a worker, are named', () => {
  const lanes = Array.from({ length: 5 }, (_, i) => lane(`send.${i}`, { worker: null, jobs: 2 }));
  expect(messages({ members: [member('api')], lanes })).toEqual({
    workers: ['no worker process lives: nothing is stored, and 10 jobs wait'],
    lanes: ['no living worker has send.0, send.1, send.2 and 2 more: what is on them waits'],
    indexer: ['no indexer process lives: new messages cannot be found, and 0 jobs wait'],
  });
  expect(messages({ lanes: undefined }).lanes).toEqual(['nothing was started on this installation yet']);
});

test('clocks that are off by more than five seconds are named, each with its host', () => {
  const members = [member('worker', { clock_ahead_ms: -61_000 }), member('indexer', { clock_ahead_ms: 4000 })];
  expect(messages({ members })).toEqual({
    clocks: ['not every clock is that of Redis: worker-1 on one is 61 s behind'],
  });
});

test('dead letters are counted', () => {
  expect(messages({ deadLetters: 3 }).dead_letters).toEqual(['3 dead letters: what they hold could not be processed']);
});
