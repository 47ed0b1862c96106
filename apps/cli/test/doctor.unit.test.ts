import type { NodeInfo } from '@ruyi/redis';
import { expect, test } from 'vitest';
import { nodeFinding } from '../src/commands/doctor/machineFindings.ts';
import { memoryFindings, type RedisState } from '../src/commands/doctor/redisFindings.ts';
import { versionFinding } from '../src/commands/doctor/searchFindings.ts';

const MB = 1_000_000;
const idle = { jobs: 0, recipients: 0, oldestAt: undefined, progressAt: undefined };
const node = (used: number, allowed: number, machine = 0): NodeInfo => ({
  node: 'one',
  info: `used_memory:${used}\r\nmaxmemory:${allowed}\r\ntotal_system_memory:${machine}\r\n`,
});
const state = (nodes: NodeInfo[], waiting = 0): RedisState => ({
  nodes,
  work: {
    ...{ now: 0, members: [], index: { ...idle, references: 0 }, deadLetters: 0 },
    lanes: [
      { kind: 'fanout', lane: 0, queue: { name: 'fanout.0', prefix: '' }, worker: null, ...idle, recipients: waiting },
    ],
  },
  running: [],
});

test.each<[string, RedisState, string, RegExp]>([
  ['half of it', state([node(50 * MB, 100 * MB)]), 'ok', /50\.0 MB of 100 MB/],
  ['nearly all of it', state([node(81 * MB, 100 * MB)]), 'fail', /more than 80 %/],
  ['what waits does not fit', state([node(50 * MB, 100 * MB)], 300_000), 'warn', /needs about 41\.1 MB/],
  ['what waits fits into two nodes', state([node(50 * MB, 100 * MB), node(50 * MB, 100 * MB)], 300_000), 'ok', /50/],
  ['no bound', state([node(50 * MB, 0)]), 'warn', /no maxmemory/],
  [
    'more than its machine can spare',
    state([node(50 * MB, 100 * MB, 120 * MB)]),
    'warn',
    /of the 120 MB of its machine/,
  ],
])('memory of Redis: %s', (_, found, status, message) => {
  for (const finding of memoryFindings(found)) {
    expect(finding).toMatchObject({ check: 'memory', status, message: expect.stringMatching(message) });
    expect(finding.fix === undefined).toBe(status === 'ok');
  }
});

test('an old Node fails', () => {
  expect(['18.20.0', '20.10.0', '20.11.0', '24.1.0'].map((version) => nodeFinding(version).status)).toEqual([
    ...['fail', 'fail', 'ok', 'ok'],
  ]);
});

test('another Meilisearch than the tested ones is a warning', () => {
  expect(['1.49.9', '1.50.0', '1.61.2', '2.0.0', undefined].map((version) => versionFinding(version).status)).toEqual([
    ...['warn', 'ok', 'ok', 'warn', 'warn'],
  ]);
});
