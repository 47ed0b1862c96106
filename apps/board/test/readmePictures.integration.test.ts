import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type TestProcess, tempDir, waitFor } from '@ruyi/testkit';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Browser, executablePath, openBrowser, PICTURES, picture, pictureFile } from './browser.ts';
import { testInstallation } from './installation.ts';
import { onTerminal, terminalPage } from './terminal.ts';

const RUYI = fileURLToPath(new URL('../../cli/dist/main.js', import.meta.url));
const RECIPIENTS = 60_000;
const ARGS = `--uids users.txt --from shop --name 'Spring sale' --text 'Two days only' --rate 6000`;
/** What a terminal was told until the bar is about half full. */
const TO_HALF = /^[\s\S]*?running █+░* [4-9]\d % [\P{Cc}]*/u;

/** What README shows of a broadcast: a terminal, and Bull Board beside it. */
describe.skipIf(executablePath === undefined)('a broadcast', () => {
  const installation = testInstallation({ ALLOW_NO_AOF: '1', BOARD_ENVIRONMENT: 'staging' });
  const folder = tempDir('pictures');
  let board: TestProcess;
  let browser: Browser;

  beforeAll(async () => {
    writeFileSync(join(folder.path, 'users.txt'), Array.from({ length: RECIPIENTS }, (_, i) => `u${i}\n`).join(''));
    [board] = await Promise.all([
      installation.start('board'),
      installation.start('api'),
      installation.start('worker'),
      installation.start('indexer'),
    ]);
    browser = await openBrowser();
    browser.page.setDefaultTimeout(40_000);
  });
  afterAll(async () => {
    await browser?.close();
    folder.remove();
  });

  test('is asked for on a terminal, shows how it goes, and its jobs are in Bull Board', async () => {
    const run = onTerminal(`node '${RUYI}' broadcast ${ARGS}`, folder.path, {
      RUYI_URL: installation.api,
      HOME: folder.path,
      TERM: 'xterm-256color',
    });
    const terminal = await terminalPage(browser.context);
    const shown = (output: string) => terminal.show(`$ ruyi broadcast ${ARGS}\r\n${output}`);
    await waitFor(() => run.output.includes('[y/N]'), { what: 'the question' });
    expect((await shown(run.output)).join('\n')).toMatch(/recipients {2}60,000 \(0 named twice, 0 invalid lines\)/);
    run.type('y\n');
    const toHalf = await waitFor(() => TO_HALF.exec(run.output)?.[0], { what: 'a bar that is about half full' });
    const lines = await shown(toHalf);
    expect(lines.join('\n')).toMatch(/^running █+░* [4-9]\d % /m);
    // One line that is written anew, not one for each look.
    expect(lines.filter((line) => line.startsWith('running'))).toHaveLength(1);
    if (PICTURES !== undefined) await terminal.picture(pictureFile('terminal'));

    const { page } = browser;
    await page.goto(`${board.details.address}/queues/queue/fanout.0?status=completed`);
    await page
      .getByText(/from shop · .* recipients/)
      .first()
      .waitFor();
    await picture(page, 'queues');
    expect(browser.problems()).toEqual([]);
    expect(await run.ended).toBe(0);
    expect((await shown(run.output)).join('\n')).toMatch(/"Spring sale" done: 60,000 of 60,000 stored, 0 failed/);
  });
});
