import { createWriteStream, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createClient, textPayload } from '@ruyi/client';
import { channelName } from '@ruyi/contracts';
import { evenShards, keys, shardOf } from '@ruyi/store';
import { freePort, type TestProcess, tempDir, waitFor } from '@ruyi/testkit';
import type { Locator, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  type Browser,
  executablePath,
  expectAccessible,
  openBrowser,
  PICTURES,
  picture as pictureOf,
} from './browser.ts';
import { testInstallation } from './installation.ts';

const TOKEN = 'correct horse battery staple';
/** More by hand: RUYI_TEST_RECIPIENTS=1000000. */
const RECIPIENTS = Number(process.env.RUYI_TEST_RECIPIENTS ?? 20_000);
/** A list of a million takes a while. */
const PATIENCE_MS = RECIPIENTS > 100_000 ? 600_000 : 120_000;
/** A picture needs a bar that has begun; a test must press every button before all is sent, however busy the machine is. */
const SENDING_SECONDS = PICTURES === undefined ? 200 : 20;
/** What looks like markup is a text; pictures do without. */
const NAME = PICTURES === undefined ? 'Spring sale <b>' : 'Spring sale';

const count = (n: number) => n.toLocaleString('en-US');

if (executablePath === undefined) console.log('skipped: the page in a browser; there is no Chromium');

describe.skipIf(executablePath === undefined)("the operator's page in a browser without a network", () => {
  const installation = testInstallation({ BOARD_TOKEN: TOKEN, BOARD_ENVIRONMENT: 'staging', ALLOW_NO_AOF: '1' });
  const folder = tempDir('lists');
  let board: TestProcess;
  let browser: Browser;
  let page: Page;

  beforeAll(async () => {
    const [started] = await Promise.all([
      installation.start('board'),
      installation.start('api'),
      installation.start('worker'),
      installation.start('indexer'),
    ]);
    board = started;
    browser = await openBrowser();
    page = browser.page;
    page.setDefaultTimeout(PATIENCE_MS / 3);
  });
  afterAll(async () => {
    await browser?.close();
    folder.remove();
  });

  const at = (path: string) => `${board.details.address}${path}`;
  const button = (name: string | RegExp): Locator => page.getByRole('button', { name });
  const answer = (name: string) => page.getByRole('dialog').getByRole('button', { name, exact: true }).click();
  const badge = (state: string) => page.locator('.report .badge', { hasText: state }).waitFor();
  const stored = async () => Number((await page.locator('.report .strong').textContent())?.replaceAll(',', ''));
  const picture = (name: string) => pictureOf(page, name);
  /** What the board's log says was done, by whom. */
  const logged = () =>
    board.stdout
      .split('\n')
      .filter((line) => line.includes('"msg":"action"'))
      .map((line) => JSON.parse(line))
      .map(({ action, who, address, no }: Record<string, string>) => ({ action, who, address, no }));

  test('asks for a token and a name', async () => {
    await page.goto(at('/'));
    await expectAccessible(page);
    await page.getByLabel('Your name').fill('Ada');
    await page.getByLabel('Token (BOARD_TOKEN)').fill(TOKEN);
    await button('Log in').click();
    await page.getByText('Everything works').waitFor();
    await page.getByText('Nothing has been broadcast in the last days.').waitFor();
    await expectAccessible(page);
    expect(browser.problems()).toEqual([]);
  });

  test(
    'a broadcast is created from a file, reviewed, sent, paused, resumed and cancelled',
    async () => {
      const list = join(folder.path, 'users.txt');
      const lines = function* () {
        for (let n = 0; n < RECIPIENTS; n++) yield `u${n}\n`;
        yield 'u1\nno@body\n';
      };
      await pipeline(Readable.from(lines()), createWriteStream(list));
      await page.getByRole('link', { name: 'New broadcast' }).click();
      await page.getByLabel('Text', { exact: true }).fill('Spring sale, two days only');
      await page.getByLabel('From', { exact: true }).fill('promo9');
      await page.getByLabel('Name', { exact: true }).fill(NAME);
      await page.getByLabel('At most', { exact: true }).fill(String(Math.ceil(RECIPIENTS / SENDING_SECONDS)));
      await page.getByLabel('List', { exact: true }).setInputFiles(list);
      await picture('new');
      await expectAccessible(page);
      await button('Upload and review').click();

      await page.getByText(`users.txt: ${count(RECIPIENTS)} recipients, 1 duplicate within it`).waitFor();
      await page.getByText('1 line names no recipient').waitFor();
      await page.getByText(/take about .* of Redis memory/).waitFor();
      await page.getByRole('heading', { name: NAME }).waitFor();
      await picture('review');
      await expectAccessible(page);
      await button(`Send: ${NAME}`).click();
      await answer('Back');
      await badge('open');
      await button(`Send: ${NAME}`).click();
      await answer(`Send to ${count(RECIPIENTS)}`);

      await badge('running');
      const seen = await waitFor(async () => (await stored()) > 0 && (await stored()));
      await waitFor(async () => (await stored()) > Number(seen), { what: 'more recipients on the page' });
      await picture('running');
      await expectAccessible(page);
      await button(`Pause: ${NAME}`).click();
      await badge('paused');
      await button(`Resume: ${NAME}`).click();
      await answer('Resume');
      await badge('running');

      await page.goto(at('/'));
      const row = page.locator('.broadcast', { hasText: NAME });
      await row.locator('.badge', { hasText: 'running' }).waitFor();
      await page.locator('.chart canvas').waitFor();
      await picture('overview');
      await expectAccessible(page);
      await row.getByRole('link', { name: NAME }).click();
      await button(`Cancel: ${NAME}`).click();
      await answer('Cancel broadcast');
      await badge('cancelled');
      expect(browser.problems()).toEqual([]);

      const no = page.url().split('/').at(-1) ?? '';
      const ruyi = createClient({ url: installation.api });
      // Those whose job is at hand still get it.
      const report = await waitFor(
        async () => {
          const now = await ruyi.broadcastReport({ broadcast_no: no });
          return now.finished_at > 0 && now;
        },
        { what: 'its last job to end' },
      );
      expect(report).toMatchObject({ accepted: RECIPIENTS + 1, duplicates: 1, invalid: 1, total: RECIPIENTS });
      expect(report.stored + report.cancelled).toBe(RECIPIENTS);
      const who = { who: 'Ada', address: '127.0.0.1', no };
      await waitFor(() => logged().length === 6, { what: 'the lines of the log' });
      expect(logged()).toEqual(
        ['create', 'upload', 'start', 'pause', 'resume', 'cancel'].map((verb) => ({
          action: verb === 'upload' ? 'upload recipients' : `${verb} broadcast`,
          ...who,
        })),
      );
    },
    PATIENCE_MS,
  );

  test('all broadcasts are listed, by state', async () => {
    await page.goto(at('/broadcasts'));
    await page.getByRole('link', { name: NAME }).waitFor();
    await expectAccessible(page);
    await page.getByLabel('State').selectOption('failed');
    await page.getByText('No broadcast is failed now.').waitFor();
    expect(browser.problems()).toEqual([]);
  });

  test('Bull Board shows the queues, without a network too', async () => {
    await page.goto(at('/'));
    await page.getByRole('link', { name: 'Queues' }).click();
    await page.getByText('Lane 0').or(page.getByText('fanout.0')).first().waitFor();
    expect(browser.problems()).toEqual([]);
  });

  test('a dead letter is read, retried in vain, repaired and retried, and dropped', async () => {
    const ruyi = createClient({ url: installation.api });
    const logOf = (uid: string) => {
      const channel = channelName(1, uid, 'promo9');
      return keys.log(shardOf(channel, evenShards(8)), channel);
    };
    const broken = ['broken1', 'broken2', 'broken3'];
    for (const uid of broken) await installation.redis.client.set(logOf(uid), 'not a log');
    const message = { name: 'Partly', from_uid: 'promo9', payload: textPayload({ type: 1, content: 'x' }) };
    const { broadcast_no: no, failed } = await ruyi.broadcast([...broken, 'whole'], { message });
    expect(failed).toBe(3);

    await page.goto(at(`/broadcasts/${no}`));
    await page.getByRole('rowheader', { name: 'broken1' }).waitFor();
    await expectAccessible(page);
    const download = page.waitForEvent('download');
    await page.getByRole('link', { name: 'Download all 3' }).click();
    const lines = readFileSync(await (await download).path(), 'utf8')
      .trimEnd()
      .split('\n');
    expect(lines.map((line) => JSON.parse(line).uid).sort()).toEqual(broken);

    await page.goto(at('/dead'));
    const group = page.locator('.letters');
    await group.getByText(`To mend it: DEL or RENAME`).waitFor();
    await group.locator('.ids button').first().click();
    await page.locator('.letter').getByText('now: string').first().waitFor();
    await picture('dead');
    await expectAccessible(page);

    const saysSo = () => page.getByText(/1? letters? (is|are) being retried\./).waitFor();
    await page.getByRole('button', { name: /^Retry this letter: / }).click();
    await answer('Retry');
    await saysSo();
    await group.getByText('2 tries').waitFor();
    await group.getByRole('button', { name: /^Retry: / }).click();
    await answer('Retry');
    await saysSo();
    await group.getByText('3 tries').waitFor();
    // Of the other letters, too: they must have failed before the cause of one is repaired.
    await waitFor(async () => (await group.getByText('being retried').count()) === 0, { what: 'every retry to end' });

    await installation.redis.client.del(logOf('broken1'));
    await page.goto(at(`/broadcasts/${no}`));
    await button('Retry failed: Partly').click();
    await answer('Retry 3');
    await page.getByText('“Partly” is retried.').waitFor();
    const retried = await ruyi.watchBroadcast({ broadcast_no: no }, { everySeconds: 0.2 });
    expect(retried).toMatchObject({ stored: 2, failed: 2 });

    await page.goto(at('/dead'));
    await group.getByRole('button', { name: /^Drop: / }).click();
    await answer('Keep');
    const letters = group.locator('.ids button');
    for (let left = await letters.count(); left > 0; left--) {
      await letters.first().click();
      await page.getByRole('button', { name: /^Drop this letter: / }).click();
      await answer('Drop it');
      await page.getByText('1 letter is dropped.').waitFor();
      await button('Close').click();
      await waitFor(async () => (await letters.count()) === left - 1);
    }
    await page.getByText('There are none:').waitFor();
    await expectAccessible(page);
    expect(await ruyi.broadcastReport({ broadcast_no: no })).toMatchObject({ stored: 2, failed: 2 });
    expect(browser.problems()).toEqual([]);
    await waitFor(() => logged().filter(({ action }) => action?.includes('dead')).length >= 3);
  });

  test('every button that was seen has been pressed, and works', () => {
    expect(browser.unpressed().filter((text) => !text.startsWith('dead-'))).toEqual([]);
  });

  test('says in words that the API is away, and how to mend it', async () => {
    const url = `http://127.0.0.1:${await freePort()}`;
    const lost = await installation.start('board', { BOARD_TOKEN: '', RUYI_URL: url });
    await page.goto(`${lost.details.address}/`);
    await page.getByText(`The API at ${url} does not answer (ECONNREFUSED).`).waitFor();
    await page.getByText('Start it, or correct RUYI_URL of the board.').waitFor();
    await expectAccessible(page);
    expect(browser.problems()).toEqual([]);
  });

  test('shows no action with BOARD_READONLY, and takes none', async () => {
    const readOnly = await installation.start('board', { BOARD_TOKEN: '', BOARD_READONLY: '1' });
    const ruyi = createClient({ url: installation.api });
    const { broadcast_no: no } = await ruyi.createBroadcast({ name: 'Draft', payload: 'eA==' });
    await page.goto(`${readOnly.details.address}/broadcasts/${no}`);
    await page.getByText('read-only').waitFor();
    await page.getByRole('heading', { name: 'Draft' }).waitFor();
    expect(await page.getByRole('button').count()).toBe(0);
    await page.goto(`${readOnly.details.address}/`);
    await page.getByRole('link', { name: 'Draft' }).waitFor();
    expect(await page.getByRole('button').count()).toBe(0);
    expect(browser.problems()).toEqual([]);
    for (const [method, path] of [
      ['POST', `/actions/broadcasts/${no}/cancel`],
      ['POST', '/actions/broadcasts'],
      ['PUT', `/actions/broadcasts/${no}/recipients/0`],
    ] as const) {
      const answer = await fetch(`${readOnly.details.address}${path}`, { method, body: '{}' });
      expect([path, answer.status]).toEqual([path, 403]);
    }
    expect(await ruyi.broadcastReport({ broadcast_no: no })).toMatchObject({ state: 'open', accepted: 0 });
  });
});
