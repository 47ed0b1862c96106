import { readdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import type { QueueJobJson } from '@bull-board/api/typings/app';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { jobTitle, pageOf } from '../src/jobTitle.ts';
import { FOREIGN_LINK } from '../src/localAdapter.ts';
import { shortened } from '../src/shortened.ts';

const job = (name: string, data: unknown, id = 'an-id'): QueueJobJson => ({
  ...{ id, name, data, progress: 0, attemptsMade: 0, timestamp: 0, failedReason: '', stacktrace: null },
  ...{ returnvalue: null, opts: {} },
});
const item = (ch: string, from = 'ann') => ({ id: 1, ts: 1, from, payload: '', no: '', ch });
const chunk = { chunk: 0, start: 0, uids: 'ann\nbob' };
const problem = { code: 'wrong_type', reason: 'WRONGTYPE', count: 2 };
const broadcast = { ref: '107k', from: 'promo9', chunks: [chunk] };

test.each<[string, unknown, string, string]>([
  ['send', { items: [item('2:room')] }, '1 message from ann to 2:room', '/'],
  ['send', { items: [item('2:room'), item('2:other', 'bob')] }, '2 messages to 2 channels', '/'],
  ['broadcast', broadcast, 'batch 107k from promo9 · 2 recipients', '/broadcasts/107k'],
  ['broadcast', { ...broadcast, no: '2k9' }, 'broadcast 2k9 from promo9 · 2 recipients', '/broadcasts/2k9'],
  [
    'broadcast',
    { ...broadcast, letter: { id: 'x', tries: 2, firstAt: 0 } },
    'batch 107k from promo9 · 2 recipients · try 2',
    '/broadcasts/107k',
  ],
  ['group-command', { ref: '107k', ch: '2:room' }, 'command to 2:room · 1 recipient', '/'],
  ['index', { logs: [{ ch: '2:room', seqs: [1, 2] }] }, 'index 2 messages of 1 channel', '/'],
  ['index', { broadcast: { ref: '107k', chunks: [chunk] } }, 'index batch 107k · 2 recipients', '/broadcasts/107k'],
  ['wake', { group: 3 }, 'index what waits in outboxes of group 3', '/'],
  ['coordinate', { no: '2k9', run: 3 }, 'broadcast 2k9 · run 3', '/broadcasts/2k9'],
  [
    'dead',
    { queue: 'fanout.0', name: 'broadcast', reason: 'WRONGTYPE', data: broadcast, problems: [problem], tries: 2 },
    'wrong_type · 2 recipients of batch 107k from promo9 · tries 2',
    '/broadcasts/107k',
  ],
  [
    'dead',
    { queue: 'send.0', name: 'unreadable', reason: 'job data is no JSON', raw: '{' },
    'unreadable_job · job · tries 1',
    '/',
  ],
  ['broadcast', { chunks: 'none' }, 'broadcast', '/'],
  ['fly', {}, 'fly', '/'],
])('a %s job says what it is about', (name, data, title, href) => {
  expect([jobTitle(job(name, data)), pageOf(job(name, data)).href]).toEqual([title, href]);
});

test('names that clients chose do not make a title long', () => {
  const long = 'x'.repeat(128);
  expect(jobTitle(job('send', { items: [item(`2:${long}`, long)] })).length).toBeLessThanOrEqual(160);
});

test('whatever a job holds, what is shown of it is short', () => {
  fc.assert(
    fc.property(fc.jsonValue({ maxDepth: 12, depthSize: 'large', stringUnit: 'grapheme' }), fc.nat(400), (value, n) => {
      const many = { one: value, list: Array.from({ length: n }, () => value), text: JSON.stringify(value).repeat(n) };
      expect(JSON.stringify(shortened(many)).length).toBeLessThanOrEqual(6000);
    }),
    { numRuns: 50 },
  );
});

test('lists and uids are cut to 20, and say how many are left', () => {
  const uids = Array.from({ length: 30 }, (_, i) => `u${i}`);
  expect(shortened({ at: uids.map((_, i) => i), uids: uids.join('\n'), from: 'ann' })).toEqual({
    at: [...uids.slice(0, 20).map((_, i) => i), '… 10 more'],
    uids: [...uids.slice(0, 20), '… 10 more'].join('\n'),
    from: 'ann',
  });
});

/** Addresses in the scripts that a browser never asks by itself: names of XML, and links in messages and menus. */
const NAMES_AND_LINKS = [
  ...[
    'base-ui.com',
    'bit.ly',
    'fake.com',
    'fb.me',
    'felixmosh.github.io',
    'github.com',
    'json-schema.org',
    'localhost',
  ],
  ...[
    'react.dev',
    'react.i18next.com',
    'reactflow.dev',
    'reactjs.org',
    'redux-toolkit.js.org',
    'redux.js.org',
    'www.w3.org',
  ],
];

test("Bull Board's page and assets ask nobody else", () => {
  const require = createRequire(import.meta.url);
  const ui = createRequire(require.resolve('@bull-board/api')).resolve('@bull-board/ui/package.json');
  const dist = join(dirname(ui), 'dist');
  const files = readdirSync(dist, { recursive: true, encoding: 'utf8' }).filter((file) =>
    /\.(ejs|css|js|svg|json)$/.test(file),
  );
  const hosts = new Set<string>();
  for (const file of files) {
    const text = readFileSync(join(dist, file), 'utf8').replace(FOREIGN_LINK, '');
    const found = [...text.matchAll(/https?:\/\/([\w.-]+)/g)].map(([, host = '']) => host);
    if (file.endsWith('.js') || file.endsWith('.svg')) for (const host of found) hosts.add(host);
    else expect([file, found.filter((host) => host !== 'www.w3.org')]).toEqual([file, []]);
  }
  expect([...hosts].toSorted()).toEqual(NAMES_AND_LINKS.toSorted());
});
