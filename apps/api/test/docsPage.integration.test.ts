import { findChromium, tempDir, waitFor } from '@ruyi/testkit';
import { type BrowserContext, chromium, type Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startApi, testSystem, unfinishedJobs } from './harness.ts';

// `npm test` installs it where it can, and says so where it cannot.
const executablePath = findChromium();
if (executablePath === undefined) console.log('skipped: tests in a browser; there is no Chromium');
const ARGS = [
  '--headless',
  '--no-sandbox',
  '--disable-gpu',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-sync',
];

describe.skipIf(executablePath === undefined)('/docs in a browser', () => {
  const system = testSystem();
  const folder = tempDir('docs');
  let context: BrowserContext;
  let page: Page;
  const requested: string[] = [];
  const complaints: string[] = [];

  beforeAll(async () => {
    const options = { args: ARGS, headless: true, ...(executablePath ? { executablePath } : {}) };
    context = await chromium.launchPersistentContext(folder.path, options);
    page = await context.newPage();
    page.on('request', (request) => requested.push(request.url()));
    page.on('console', (line) => line.type() === 'error' && complaints.push(line.text()));
    page.on('pageerror', (error) => complaints.push(String(error)));
  });
  afterAll(async () => {
    await context.close();
    folder.remove();
  });

  /** Opens an operation, tries it out, and resolves with the status that the page shows. */
  async function tryOut(tag: string, operation: string): Promise<string | null> {
    const block = page.locator(`#operations-${tag}-${operation}`);
    await block.locator('.opblock-summary-control').click();
    await block.getByRole('button', { name: 'Try it out' }).click();
    await block.getByRole('button', { name: 'Execute' }).click();
    return block.locator('.live-responses-table tbody .response-col_status').first().textContent();
  }

  test('shows every endpoint, asks no other host, and has nothing to complain of', async () => {
    await page.goto(`${system.address}/docs`);
    await page.locator('.opblock').first().waitFor();
    expect(await page.locator('.opblock').count()).toBeGreaterThan(30);
    expect(await page.locator('.errors-wrapper').count()).toBe(0);
    expect(requested.filter((url) => !url.startsWith(system.address) && !url.startsWith('data:'))).toEqual([]);
    expect(complaints).toEqual([]);
  });

  // On the page that the first one opened: showing it takes a browser seconds.
  test('sends a message as it stands there', async () => {
    const before = await unfinishedJobs(system.redis);
    expect(await tryOut('Messages', 'send')).toContain('200');
    await waitFor(async () => (await unfinishedJobs(system.redis)) === before + 1, {
      what: 'the message to be queued',
    });
    expect(complaints).toEqual([]);
  });

  test('serves without the token, and asks with it', async () => {
    const guarded = await startApi({ ...system.config, API_TOKEN: 'secret' });
    await page.goto(`${guarded.address}/docs`);
    await page.getByRole('button', { name: 'Authorize' }).first().click();
    await page.getByLabel('auth-bearer-value').fill('secret');
    await page.locator('.modal-ux').getByRole('button', { name: 'Apply credentials' }).first().click();
    await page.locator('.modal-ux').getByRole('button', { name: 'Close' }).first().click();
    expect(await tryOut('Operation', 'status')).toContain('200');
    await guarded.process.kill('SIGTERM');
  });
});
