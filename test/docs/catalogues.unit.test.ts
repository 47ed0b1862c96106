import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { routes } from '../../apps/api/src/routes/index.ts';
import { rows } from '../../packages/config/src/settings.ts';
import { ERROR_CODES, type ErrorCode, errorBody } from '../../packages/contracts/src/errors.ts';
import { LETTER_CODES } from '../../packages/contracts/src/letterCodes.ts';
import { captures, findings, page, pages, root, runtimeSources } from './files.ts';

/** Compares the code with its page: both must list the same things. */

const sorted = (names: Iterable<string>) => [...new Set(names)].sort();
/** The first cell of each table row of a page. */
const firstCells = (text: string) => captures(text, /^\| (.*?) \|/gm);
const quoted = (text: string, pattern = /`([^`]+)`/g) => captures(text, pattern);
const source = (folder: string) =>
  runtimeSources()
    .filter(({ path }) => path.startsWith(folder))
    .map(({ text }) => text)
    .join('\n');

test('settings: packages/config and the table of docs/configuration.md', () => {
  const { stdout } = spawnSync(process.execPath, [join(root, 'scripts/list-settings.mjs')], { encoding: 'utf8' });
  expect(page('docs/configuration.md')).toContain(`<!-- settings -->\n\n${stdout}\n<!-- /settings -->`);
  const onPage = firstCells(page('docs/configuration.md')).flatMap((cell) => quoted(cell));
  expect(onPage).toEqual([...rows.values()].map(({ name }) => name));
  expect(onPage).toContain('REDIS_URL');
});

/** Variables of other programs, in commands that a page shows. */
const OTHER_VARIABLES = ['NODE_OPTIONS', 'MEILI_MASTER_KEY', 'REDIS_PASSWORD', 'RUYI_TEST_PICTURES'];

test('dead letters: their codes and the table of docs/operating.md', () => {
  const [, table = ''] = /^### Dead letters by code$(.*?)^## /ms.exec(page('docs/operating.md')) ?? [];
  expect(firstCells(table).flatMap((cell) => quoted(cell))).toEqual([...LETTER_CODES]);
});

test('settings: every variable that a page sets is one of packages/config', () => {
  const known = [...[...rows.values()].map(({ name }) => name), ...OTHER_VARIABLES];
  const unknown = findings(pages(), (text) =>
    captures(text, /\b([A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+)=/g).filter((name) => !known.includes(name)),
  );
  expect(unknown).toEqual([]);
});

test('endpoints: the routes of the API and the headings of docs/api.md', () => {
  const inCode = routes.map(({ method, path }) => `${method} ${path.replace(/:(\w+)/g, '{$1}')}`);
  const onPage = captures(page('docs/api.md'), /^### ([A-Z]+ \/\S*)$/gm);
  expect(sorted(onPage)).toEqual(sorted(inCode));
});

test('error codes: ErrorCode and the table of docs/api.md', () => {
  const [, union = ''] = /export type ErrorCode =([^;]*);/.exec(source('packages/contracts/')) ?? [];
  const [, table = ''] = /^### Errors$(.*?)^### /ms.exec(page('docs/api.md')) ?? [];
  const onPage = captures(table, /^\| \d[\d, ]*\| (.*?) \|/gm).flatMap((cell) => quoted(cell));
  expect(sorted(onPage)).toEqual(sorted(captures(union, /'(\w+)'/g)));
  expect(onPage).toContain('unavailable');
});

test('error codes: each has its heading in docs/errors.md, where its status stands, and no other has', () => {
  const [intro = '', ...parts] = page('docs/errors.md').split(/^## /m);
  expect(parts.map((part) => part.split('\n')[0])).toEqual(Object.keys(ERROR_CODES));
  for (const part of parts) {
    const [code = '', text = ''] = part.split(/\n\n(.*)/s);
    const { statuses } = ERROR_CODES[code as ErrorCode];
    expect([code, captures(text.split('.')[0] ?? '', /\b([45]\d\d)\b/g).map(Number)]).toEqual([code, statuses]);
  }
  const [example = ''] = captures(intro, /^```json\n(.*?)^```/gms);
  const { status, code, msg, errors } = JSON.parse(example);
  expect(JSON.parse(example)).toEqual({ ...errorBody(status, code, msg), errors });
});

/** Names that look like a metric but are not, or only a series of one. */
const OTHER_NAMES = ['ruyi_board', 'ruyi_search_freshness_seconds_bucket'];

test('metrics: names in the source and docs/metrics.md', () => {
  const inCode = captures(source(''), /'(ruyi_[a-z_]+)'/g).filter((name) => !OTHER_NAMES.includes(name));
  const onPage = firstCells(page('docs/metrics.md')).flatMap((cell) => quoted(cell, /`(ruyi_[a-z_]+)/g));
  expect(sorted(onPage)).toEqual(sorted(inCode));
  expect(onPage).toContain('ruyi_redis_up');
});

test('keys: packages/store/src/keys.ts and the table of docs/architecture.md', () => {
  const inCode = captures(page('packages/store/src/keys.ts'), /[`'](r:\{[^`'\s]*)[`']/g).map((key) =>
    key.replace(/\$\{\w+\}/g, '*'),
  );
  const [, table = ''] = /^## Keys$(.*?)^## /ms.exec(page('docs/architecture.md')) ?? [];
  const onPage = firstCells(table).flatMap((cell) => quoted(cell));
  expect(sorted(onPage.map((key) => key.replace('{s}', '{*}').replace(/<\w+>/g, '*')))).toEqual(sorted(inCode));
});

test('every invariant names its tests', () => {
  const [, ...invariants] = page('docs/invariants.md').split(/^## /m);
  for (const [i, text] of invariants.entries()) {
    const [title = ''] = text.split('\n');
    expect(title).toMatch(new RegExp(`^${i + 1}\\. `));
    const [, tests = ''] = /^Tests: (.*)/ms.exec(text) ?? [];
    const files = captures(tests, /\]\(\.\.\/([^)]+\.test\.ts)\)/g);
    expect([title, files.length > 0, files.filter((file) => !existsSync(join(root, file)))]).toEqual([title, true, []]);
  }
});

test('every decision is in the list of decisions', () => {
  const files = readdirSync(join(root, 'docs/decisions')).filter((name) => name !== 'README.md');
  expect(captures(page('docs/decisions/README.md'), /\]\((\d{4}-[^)]+\.md)\)/g)).toEqual(files.sort());
});

test('docs/architecture.md lists who imports whom', () => {
  const { stdout } = spawnSync(process.execPath, [join(root, 'scripts/list-imports.mjs')], { encoding: 'utf8' });
  expect(page('docs/architecture.md')).toContain(`<!-- imports -->\n\n${stdout}\n<!-- /imports -->`);
  expect(stdout).toContain('apps/api');
});
