import { createServer } from 'node:http';
import { fileURLToPath } from 'node:url';
import {
  createEmbeddedEngine,
  type Presentation,
  type ProcessBounds,
  type SearchEngine,
  SearchProcesses,
  type SearchTurn,
  SearchUnavailableError,
} from '@ruyi/search';
import { expectNoLeaks, startProcess, type TempDir, tempDir, waitFor } from '@ruyi/testkit';
import { afterAll, afterEach, beforeEach, describe, expect, test } from 'vitest';
import { personal, queryOf, user } from './contract/documents.ts';
import { isRunning } from './isRunning.ts';
import { patientBounds } from './patientBounds.ts';

const fixture = (name: string) => fileURLToPath(new URL(`./fixtures/${name}`, import.meta.url));

let folder: TempDir;
let writer: SearchEngine;
let opened: SearchProcesses[];
let notes: string[];
beforeEach(async () => {
  [folder, opened, notes] = [tempDir('searching'), [], []];
  writer = createEmbeddedEngine({ directory: folder.path, role: 'writer' });
  await writer.prepare();
  await writer.index([personal('m', 'ann', 'bob', 'hello')]);
});
afterEach(async () => {
  await Promise.all([writer.close(), ...opened.map((one) => one.close())]);
  folder.remove();
});
afterAll(expectNoLeaks);

function open(bounds: Partial<ProcessBounds> = {}) {
  const processes = new SearchProcesses({
    engine: { name: 'embedded', directory: folder.path },
    bounds: { ...patientBounds, ...bounds },
    note: (line) => notes.push(line),
  });
  opened.push(processes);
  return processes;
}

const QUERY = queryOf({ audience: [user('ann')], text: { content: 'hello' }, limit: 10 });
const find = (turn: SearchTurn) => turn.search(QUERY);
const found = async (processes: SearchProcesses, who = '') => (await processes.run(who, find)).total;
/** For short turns: the first search of a process that just started may take longer than one. */
const foundInTime = (processes: SearchProcesses, who = '') =>
  waitFor(() => found(processes, who), { what: 'a search within its turn' });

/** Keeps a turn until letGo is called. */
async function keepTurn(processes: SearchProcesses, who: string) {
  let letGo = () => {};
  const isOver = new Promise<void>((resolve) => {
    letGo = resolve;
  });
  let turn: SearchTurn | undefined;
  const ended = processes.run(who, async (given) => {
    turn = given;
    await isOver;
  });
  return { ended, letGo, hasTurn: () => turn !== undefined };
}

/** Begins a search in a process that no longer reacts, as in a step of SQLite that never returns. */
async function beginFrozen(processes: SearchProcesses) {
  let pid = 0;
  const outcome = processes
    .run('slow', async (turn) => {
      pid = turn.pid;
      process.kill(pid, 'SIGSTOP');
      return turn.search(QUERY);
    })
    .then(
      () => 'found',
      (error: unknown) => error,
    );
  await waitFor(() => pid > 0, { what: 'the process to be frozen' });
  return { pid, outcome };
}

describe('a search that takes too long', () => {
  test('is refused, and its process is replaced', async () => {
    const processes = open({ turnMs: 3000 });
    const { pid, outcome } = await beginFrozen(processes);
    expect(await outcome).toBeInstanceOf(SearchUnavailableError);
    await waitFor(() => !isRunning(pid), { what: 'the process to be gone' });
    await waitFor(() => processes.pids.length === 2 && !processes.pids.includes(pid), { what: 'another process' });
    for (const who of ['slow', 'other', '']) expect(await foundInTime(processes, who)).toBe(1);
  });

  test('may be one with many tasks, which share one deadline', async () => {
    const processes = open({ turnMs: 300, processes: 1 });
    const many = processes.run('slow', async (turn) => {
      for (;;) await turn.search(QUERY);
    });
    await expect(many).rejects.toThrow(SearchUnavailableError);
    expect(await foundInTime(processes)).toBe(1);
  });

  test('delays neither others nor closing, after which its process is gone', async () => {
    const processes = open({ turnMs: 60_000 });
    const { pid, outcome } = await beginFrozen(processes);
    expect([await found(processes, 'other'), isRunning(pid)]).toEqual([1, true]);
    await processes.close();
    expect(await outcome).toBeInstanceOf(SearchUnavailableError);
    expect(isRunning(pid)).toBe(false);
  });
});

describe('a process that is killed', () => {
  test('during a search is replaced, and that search is refused', async () => {
    const processes = open({ turnMs: 60_000 });
    const { pid, outcome } = await beginFrozen(processes);
    process.kill(pid, 'SIGKILL');
    expect(await outcome).toBeInstanceOf(SearchUnavailableError);
    expect(await found(processes, 'slow')).toBe(1);
    await waitFor(() => processes.pids.length === 2 && !processes.pids.includes(pid), { what: 'another process' });
  });

  test('while nobody searches is replaced, and its end is noted', async () => {
    const processes = open({ processes: 1 });
    processes.warm();
    const [pid = 0] = processes.pids;
    expect(await found(processes)).toBe(1);
    expect(processes.pids).toEqual([pid]);
    process.kill(pid, 'SIGKILL');
    await waitFor(() => processes.pids.length > 0 && !processes.pids.includes(pid), { what: 'another process' });
    expect(await found(processes)).toBe(1);
    expect(notes).toEqual(['a search process ended: SIGKILL']);
  });

  test('by any signal to its group except SIGKILL keeps running: its parent ends it', async () => {
    const processes = open({ processes: 1 });
    expect(await found(processes)).toBe(1);
    const before = processes.pids;
    for (const pid of before) for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.kill(pid, signal);
    expect(await found(processes)).toBe(1);
    expect(processes.pids).toEqual(before);
  });
});

test('if a process cannot start, waiting searches are refused, and the next search tries again', async () => {
  const processes = new SearchProcesses({
    engine: { name: 'meilisearch', url: 'no address', apiKey: '' },
    note: (line) => notes.push(line),
  });
  opened.push(processes);
  for (const n of [1, 2]) {
    await expect(processes.run('', find)).rejects.toThrow(SearchUnavailableError);
    await waitFor(() => notes.length === n, { what: 'the line about it' });
  }
  expect(processes.pids).toEqual([]);
});

test('a process runs the entry that it is given; one that never gets ready is ended and refuses the search', async () => {
  const processes = new SearchProcesses({
    engine: { name: 'embedded', directory: folder.path },
    bounds: { ...patientBounds, startMs: 500 },
    note: (line) => notes.push(line),
    entry: fixture('never-ready.mjs'),
  });
  opened.push(processes);
  await expect(processes.run('', find)).rejects.toThrow('no search process can start: it did not start in time');
  expect(notes).toEqual(['a search process ended: it did not start in time']);
});

test('a compiled entry that is missing is named', async () => {
  const entry = fixture('not-built.mjs');
  const engine = { name: 'embedded', directory: folder.path } as const;
  const processes = new SearchProcesses({ engine, bounds: patientBounds, entry });
  opened.push(processes);
  await expect(processes.run('', find)).rejects.toThrow(
    `no search process can start: ${entry} is missing: run npm run build`,
  );
});

describe('turns', () => {
  test('a user has one at a time, so others do not wait for all searches of that user', async () => {
    const processes = open();
    const first = await keepTurn(processes, 'ann');
    const second = await keepTurn(processes, 'ann');
    await waitFor(first.hasTurn, { what: 'the first turn' });
    expect(await found(processes, 'bob')).toBe(1);
    expect(second.hasTurn()).toBe(false);
    first.letGo();
    await waitFor(second.hasTurn, { what: 'the second turn' });
    second.letGo();
    await Promise.all([first.ended, second.ended]);
  });

  test('a search that gets none in time is refused, and so is one too many', async () => {
    const processes = open({ waitMs: 1000, mostOfOne: 2, most: 3 });
    await waitFor(() => found(processes), { what: 'a process that has started' });
    const kept = await keepTurn(processes, 'ann');
    await waitFor(kept.hasTurn, { what: 'the turn' });
    const waiting = ['ann', 'ann'].map((who) =>
      expect(processes.run(who, find)).rejects.toThrow(/no turn within 1000 ms/),
    );
    await expect(processes.run('ann', find)).rejects.toThrow(/2 searches are waiting/);
    await Promise.all(waiting);
    kept.letGo();
    await kept.ended;
    expect(await found(processes, 'ann')).toBe(1);
  });

  test('an error in the work reaches its caller, and the next search gets the turn', async () => {
    const processes = open({ processes: 1 });
    const failing = processes.run('ann', async () => {
      throw new Error('of the work');
    });
    await expect(failing).rejects.toThrow('of the work');
    expect(await found(processes, 'ann')).toBe(1);
  });

  test('a task that is still running at the end of a turn does not affect the next one', async () => {
    const processes = open({ processes: 1 });
    await processes.run('ann', async (turn) => {
      turn.search(QUERY).catch(() => {});
    });
    const other = queryOf({ audience: [user('nobody')], limit: 10 });
    expect((await processes.run('bob', (turn) => turn.search(other))).total).toBe(0);
  });
});

test('a process that takes too much memory is ended, even while it is busy', async () => {
  const parent = await startProcess(fixture('spinner.mjs'), {}, { args: ['parent', 'hoard'] });
  await waitFor(() => parent.details.signal === 'SIGKILL', { what: 'the process to be ended' });
  await parent.exit;
});

test('a Meilisearch that does not answer only fails that search', async () => {
  const silent = createServer(() => {});
  await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
  const address = silent.address();
  const url = `http://127.0.0.1:${typeof address === 'object' ? address?.port : 0}`;
  const bounds = { ...patientBounds, turnMs: 2000 };
  const processes = new SearchProcesses({ engine: { name: 'meilisearch', url, apiKey: '' }, bounds });
  opened.push(processes);
  const stuck = processes.run('ann', find).then(
    () => 'found',
    (error: unknown) => error,
  );
  const presentation: Presentation = { highlights: [], text: {}, mode: 'object' };
  const [shown] = await processes.run('bob', (turn) => turn.present(['e30='], presentation));
  expect(String(shown)).toBe('{}');
  expect(await stuck).toBeInstanceOf(SearchUnavailableError);
  silent.closeAllConnections();
  await new Promise((resolve) => silent.close(resolve));
});

test('payloads are presented in the order in which they are given', async () => {
  const processes = open();
  const payloads = ['{"content":"hello","n":1.10}', 'no object', '{"__proto__":"hello"}'];
  const shown = await processes.run('', (turn) =>
    turn.present(
      payloads.map((text) => Buffer.from(text).toString('base64')),
      {
        highlights: ['payload.content', 'payload.__proto__'],
        text: JSON.parse('{"content":"hello","__proto__":"hello"}'),
        mode: 'object',
      },
    ),
  );
  expect(shown.map(String)).toEqual([
    '{"content":"<mark>hello</mark>","n":1.10}',
    '{}',
    '{"__proto__":"<mark>hello</mark>"}',
  ]);
});
