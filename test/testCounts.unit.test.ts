import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { tempDir } from '@ruyi/testkit';
import { expect, test } from 'vitest';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const { lastLine, nothingRun, withFailure, withReport } = await import(
  new URL('../scripts/testCounts.mjs', import.meta.url).href
);

const folder = tempDir('counts');

/** Runs vitest itself on these files. */
function run(files: Record<string, string>) {
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder.path, name), text);
  const report = join(folder.path, 'report.json');
  const args = ['run', '--root', folder.path, '--globals', '--reporter=json', `--outputFile=${report}`];
  const vitest = join(ROOT, 'node_modules', 'vitest', 'vitest.mjs');
  const { status } = spawnSync(process.execPath, [vitest, ...args, ...Object.keys(files)]);
  return { report: JSON.parse(readFileSync(report, 'utf8')), ok: status === 0 };
}

test('the last line counts what passed, failed and was skipped, in whatever way, and files that cannot be loaded', () => {
  const skips = run({
    'skips.test.js': `
      test('passes', () => {});
      test.skip('is skipped', () => {});
      test.runIf(false)('does not fit this machine', () => {});
      test('notices that it does not fit', ({ skip }) => skip('no disk'));
      describe.skipIf(true)('a browser', () => { test('one', () => {}); test('two', () => {}); });
      test.todo('is missing');`,
  });
  expect(skips.ok).toBe(true);
  const first = withReport(nothingRun, skips.report, skips.ok);
  expect(lastLine(first)).toBe('1 passed, 0 failed, 6 skipped');

  const fails = run({ 'fails.test.js': `test('fails', () => expect(1).toBe(2)); test('passes', () => {});` });
  const second = withReport(first, fails.report, fails.ok);
  expect(lastLine(second)).toBe('2 passed, 1 failed, 6 skipped');

  const broken = run({ 'broken.test.js': `import './not-there.js'; test('never runs', () => {});` });
  const third = withReport(second, broken.report, broken.ok);
  expect(lastLine(third)).toBe('2 passed, 2 failed, 6 skipped');

  // Vitest ended before it could write; another step failed.
  expect(lastLine(withFailure(withReport(third, undefined, false)))).toBe('2 passed, 4 failed, 6 skipped');
  folder.remove();
});
