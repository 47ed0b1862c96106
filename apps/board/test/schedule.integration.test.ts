import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createClient, type RuyiClient } from '@ruyi/client';
import { type TestProcess, tempDir, waitFor } from '@ruyi/testkit';
import type { Locator, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Browser, executablePath, expectAccessible, openBrowser, picture } from './browser.ts';
import { testInstallation } from './installation.ts';

/** An hour that is not that of UTC, nor whole ones away from it. */
const ZONE = 'Asia/Kolkata';
const AHEAD_SECONDS = 5.5 * 3600;
const DAY_SECONDS = 86_400;

/** A minute of some day, as the input has it and as it is in UTC. */
function minuteIn(days: number, clock: string) {
  const day = new Date(Date.now() + days * DAY_SECONDS * 1000).toISOString().slice(0, 10);
  return {
    typed: `${day}T${clock}`,
    shown: `${day} ${clock}:00 UTC+05:30`,
    at: Date.parse(`${day}T${clock}Z`) / 1000 - AHEAD_SECONDS,
  };
}

describe.skipIf(executablePath === undefined)('a broadcast that is sent at a time', () => {
  const installation = testInstallation({ ALLOW_NO_AOF: '1' });
  const folder = tempDir('scheduled');
  const list = join(folder.path, 'users.txt');
  let board: TestProcess;
  let browser: Browser;
  let page: Page;
  let ruyi: RuyiClient;

  beforeAll(async () => {
    writeFileSync(list, Array.from({ length: 300 }, (_, i) => `u${i}\n`).join(''));
    [board] = await Promise.all([
      installation.start('board'),
      installation.start('api'),
      installation.start('worker'),
      installation.start('indexer'),
    ]);
    ruyi = createClient({ url: installation.api });
    browser = await openBrowser(ZONE);
    page = browser.page;
    page.setDefaultTimeout(40_000);
  });
  afterAll(async () => {
    await browser?.close();
    folder.remove();
  });

  const button = (name: string | RegExp): Locator => page.getByRole('button', { name });
  const dialog = () => page.getByRole('dialog');
  const time = () => dialog().getByLabel('Send at');
  const badge = (state: string) => page.locator('.report .badge', { hasText: state }).waitFor();
  const no = () => page.url().split('/').at(-1) ?? '';
  const report = () => ruyi.broadcastReport({ broadcast_no: no() });

  async function create(name: string, fill: () => Promise<void> = async () => {}): Promise<void> {
    await page.goto(`${board.details.address}/broadcasts/new`);
    await page.getByLabel('Text', { exact: true }).fill('Spring sale, two days only');
    await page.getByLabel('Name', { exact: true }).fill(name);
    await page.getByLabel('List', { exact: true }).setInputFiles(list);
    await fill();
    await button('Upload and review').click();
    await page.getByRole('heading', { name }).waitFor();
    await badge('open');
  }

  test('is given its time at creation, where the viewer is, and keeps it', async () => {
    const { typed, shown, at } = minuteIn(3, '09:30');
    await create('Morning', async () => {
      await page.getByText('Where you are (UTC+05:30); empty: at once.').waitFor();
      await page.getByLabel('Send at').fill(typed);
      await page.getByText(shown).waitFor();
      await expectAccessible(page);
      await picture(page, 'schedule');
    });
    expect(await report()).toMatchObject({ state: 'open', start_at: at });
    await page.getByText(`to be sent ${shown}, in`).waitFor();
    await button('Send: Morning').click();
    expect(await time().inputValue()).toBe(typed);
    await expectAccessible(page);
    await picture(page, 'schedule-question');
    await dialog().getByRole('button', { name: 'Schedule for 300' }).click();
    await badge('scheduled');
    await page.getByText(`“Morning” is sent at ${shown}.`).waitFor();
    await page.getByText(`starts ${shown}, in`).waitFor();
    await expectAccessible(page);
    await picture(page, 'scheduled');
    expect(await report()).toMatchObject({ state: 'scheduled', start_at: at, stored: 0 });
    expect(browser.problems()).toEqual([]);
  });

  test('is listed with its time, moved, and sent at once instead', async () => {
    await page.goto(`${board.details.address}/broadcasts`);
    const row = page.locator('.broadcast', { hasText: 'Morning' });
    await row.getByText(/starts in \d+ days|starts in \d+ h/).waitFor();
    await row.getByRole('link', { name: 'Change time: Morning' }).click();
    await badge('scheduled');
    const { typed, at } = minuteIn(4, '18:45');
    await button('Change time: Morning').click();
    await time().fill(typed);
    await dialog().getByRole('button', { name: 'Schedule for 300' }).click();
    await waitFor(async () => (await report()).start_at === at, { what: 'the other time' });
    await badge('scheduled');
    await button('Change time: Morning').click();
    await time().fill('');
    await dialog().getByRole('button', { name: 'Send to 300' }).click();
    await badge('done');
    expect(await report()).toMatchObject({ state: 'done', stored: 300, start_at: 0 });
    expect(browser.problems()).toEqual([]);
  });

  test('is given its time when it is sent; the keyboard does it, and Enter alone sends nothing', async () => {
    await create('By keys', async () => {
      await page.getByLabel('At most', { exact: true }).fill('5000');
    });
    await button('Send: By keys').focus();
    await page.keyboard.press('Enter');
    await dialog().waitFor();
    expect(await page.evaluate<string>('document.activeElement.textContent')).toBe('Back');
    await page.keyboard.press('Enter');
    await dialog().waitFor({ state: 'detached' });
    expect(await report()).toMatchObject({ state: 'open', rate: 5000, start_at: 0 });
    await page.keyboard.press('Enter');
    await time().focus();
    const today = new Date();
    const isOver = today.getTime() > Date.UTC(today.getUTCFullYear(), 11, 23);
    const year = today.getUTCFullYear() + (isOver ? 1 : 0);
    // Month, day, year, hour, minute, half of the day, as this browser's language has them.
    await page.keyboard.type(`1224${year}`);
    await page.keyboard.press('Tab');
    await page.keyboard.type('0615PM');
    await page.keyboard.press('Enter');
    await dialog().getByRole('button', { name: 'Schedule for 300' }).waitFor();
    await page.keyboard.press('Tab');
    await page.keyboard.press('Tab');
    await page.keyboard.press('Tab');
    await page.keyboard.press('Enter');
    await badge('scheduled');
    const at = Date.UTC(year, 11, 24, 18, 15) / 1000 - AHEAD_SECONDS;
    expect(await report()).toMatchObject({ state: 'scheduled', start_at: at, rate: 5000 });
    await page.getByText('5,000/s').waitFor();
    await button('Cancel: By keys').click();
    await dialog().getByRole('button', { name: 'Cancel broadcast' }).click();
    await badge('cancelled');
    expect(browser.problems()).toEqual([]);
  });

  test('a time that has passed is not sent', async () => {
    await create('Too late');
    await button('Send: Too late').click();
    await time().fill(minuteIn(-2, '12:00').typed);
    await dialog().getByRole('button', { name: 'Schedule for 300' }).click();
    expect(await page.evaluate<boolean>("document.getElementById('question-time').validity.rangeUnderflow")).toBe(true);
    await page.keyboard.press('Escape');
    await dialog().waitFor({ state: 'detached' });
    expect(await report()).toMatchObject({ state: 'open', start_at: 0 });
  });
});
