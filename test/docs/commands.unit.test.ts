import { expect, test } from 'vitest';
import { captures, page, pages, type TextFile } from './files.ts';

/** Every command line of a page is run by a test, or says beside it why none can. */

/** The tests that run what a page prints, all blocks of it but the marked ones. */
const RUN_BY: Record<string, string> = {
  'docs/api.md': 'apps/api/test/apiExamples.integration.test.ts',
  'docs/backup.md': 'test/backup.e2e.test.ts',
  'docs/operating.md': 'test/readme.e2e.test.ts',
  'README.md': 'test/readme.e2e.test.ts',
};
const REASONS = [
  'containers',
  'a collector',
  'Kubernetes',
  'systemd and root',
  'a terminal that it keeps',
  'minutes',
  'this repository',
];
/** `<!-- not run: needs containers -->` before a block. */
const MARKED = /<!-- not run: needs ([^>]+) -->\n\n *```sh\n/g;

const blocks = ({ text }: TextFile) => captures(text, /^ *```sh\n([\s\S]*?)^ *```$/gm);
const unmarked = (file: TextFile) =>
  blocks({ ...file, text: file.text.replace(/<!-- not run: needs [^>]+ -->\n\n *```sh\n[\s\S]*?^ *```$/gm, '') });
const withCommands = pages().filter((file) => blocks(file).length > 0);

test('every block of commands is run by a test or is marked', () => {
  const english = unmarked({ path: 'README.md', text: page('README.md') });
  const unknown = withCommands
    .filter(({ path }) => RUN_BY[path] === undefined)
    .flatMap((file) => unmarked(file).map((block) => ({ path: file.path, block })))
    // The Chinese README prints the same commands.
    .filter(({ path, block }) => path !== 'README.zh-CN.md' || !english.includes(block));
  expect(unknown).toEqual([]);
  expect(withCommands.length).toBeGreaterThan(6);
});

test('a test that is said to run a page reads it', () => {
  for (const [path, file] of Object.entries(RUN_BY)) expect([file, page(file).includes(path)]).toEqual([file, true]);
});

test('a mark gives a reason that is one', () => {
  const reasons = withCommands.flatMap(({ text }) => captures(text, MARKED));
  expect(reasons.filter((reason) => !REASONS.includes(reason))).toEqual([]);
  const marks = withCommands.flatMap(({ text }) => captures(text, /(<!-- not run)/g));
  expect(marks).toHaveLength(reasons.length);
});
