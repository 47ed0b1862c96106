import { mkdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { findChromium, tempDir } from '@ruyi/testkit';
import { type BrowserContext, chromium, type Page } from 'playwright-core';
import { expect } from 'vitest';

/** `npm test` installs it where it can, and says so where it cannot. */
export const executablePath = findChromium();

// It finds no name, so whatever is not on this machine fails, and is seen.
const OFFLINE = '--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE 127.0.0.1';
const ARGS = [
  '--headless',
  '--no-sandbox',
  '--disable-gpu',
  '--no-first-run',
  '--disable-background-networking',
  OFFLINE,
];
const AXE = createRequire(import.meta.url).resolve('axe-core/axe.min.js');
const NOTE_PRESSED = `addEventListener('click', ({ target }) => {
  const button = target.closest('button');
  if (button) notePressed(button.textContent);
}, true)`;
/** By their texts. */
const seenButtons = new Set<string>();
const DESK = { width: 1440, height: 900 };
const PHONE = { width: 390, height: 844 };

export interface Browser {
  page: Page;
  context: BrowserContext;
  /** what went wrong since the last call: errors on the console, answers from 400 on, and requests that leave the machine */
  problems(): string[];
  /** the texts of buttons that were seen by `expectAccessible` and never pressed */
  unpressed(): string[];
  close(): Promise<void>;
}

/** A browser without a network. @param timezoneId of whoever looks; `Asia/Kolkata` */
export async function openBrowser(timezoneId?: string): Promise<Browser> {
  const folder = tempDir('board browser');
  const context = await chromium.launchPersistentContext(folder.path, {
    args: ARGS,
    headless: true,
    viewport: DESK,
    ...(timezoneId ? { timezoneId } : {}),
    ...(executablePath ? { executablePath } : {}),
  });
  const pressed = new Set<string>();
  await context.exposeFunction('notePressed', (text: string) => pressed.add(text));
  await context.addInitScript(NOTE_PRESSED);
  const page = await context.newPage();
  let noted: string[] = [];
  page.on('console', (message) => message.type() === 'error' && noted.push(`console: ${message.text()}`));
  page.on('pageerror', (error) => noted.push(`page: ${error.message}`));
  page.on(
    'request',
    (request) => new URL(request.url()).hostname !== '127.0.0.1' && noted.push(`leaves: ${request.url()}`),
  );
  page.on('response', (answer) => answer.status() >= 400 && noted.push(`${answer.status()}: ${answer.url()}`));
  return {
    page,
    context,
    problems() {
      const found = noted;
      noted = [];
      return found;
    },
    unpressed: () => [...seenButtons].filter((text) => !pressed.has(text)),
    async close() {
      await context.close();
      folder.remove();
    },
  };
}

/** A folder for pictures, for people to look at, such as those in docs/images. */
export const PICTURES = process.env.RUYI_TEST_PICTURES;

export function pictureFile(name: string): string {
  const folder = PICTURES ?? '';
  mkdirSync(folder, { recursive: true });
  return join(folder, `${name}.png`);
}

/** Takes pictures of the page as it is, if they are wanted: on a desk and on a phone, in light and in dark colours. */
export async function picture(page: Page, name: string): Promise<void> {
  if (PICTURES === undefined) return;
  for (const colorScheme of ['light', 'dark'] as const) {
    await page.emulateMedia({ colorScheme });
    for (const [device, viewport] of [
      ['desk', DESK],
      ['phone', PHONE],
    ] as const) {
      await page.setViewportSize(viewport);
      await page.screenshot({ path: pictureFile(`${name}-${device}-${colorScheme}`) });
    }
  }
  await page.setViewportSize(DESK);
  await page.emulateMedia({ colorScheme: 'light' });
}

interface Finding {
  id: string;
  impact: string;
  nodes: { target: string[]; failureSummary: string }[];
}

/** What axe-core finds on the page as it is. */
async function axeFindings(page: Page): Promise<Finding[]> {
  // As a debugger, not as a script of the page: its policy forbids those.
  const session = await page.context().newCDPSession(page);
  await session.send('Runtime.evaluate', { expression: readFileSync(AXE, 'utf8') });
  const { result, exceptionDetails } = await session.send('Runtime.evaluate', {
    expression:
      'axe.run(document, { resultTypes: ["violations"] }).then(({ violations }) => JSON.stringify(violations))',
    awaitPromise: true,
  });
  await session.detach();
  expect(exceptionDetails).toBeUndefined();
  return JSON.parse(String(result.value));
}

/** Nothing serious, on a desk in light and on a phone in dark colours; and nothing is wider than the phone. */
export async function expectAccessible(page: Page): Promise<void> {
  for (const text of await page.locator('button:visible').allTextContents()) seenButtons.add(text);
  for (const [viewport, colorScheme] of [
    [PHONE, 'dark'],
    [DESK, 'light'],
  ] as const) {
    await page.setViewportSize(viewport);
    await page.emulateMedia({ colorScheme });
    const serious = (await axeFindings(page)).filter(({ impact }) => impact === 'serious' || impact === 'critical');
    const found = serious.map(({ id, nodes }) => [
      id,
      nodes.map(({ target, failureSummary }) => [target, failureSummary]),
    ]);
    const width = await page.evaluate<number>('document.documentElement.scrollWidth');
    const where = [page.url(), colorScheme];
    expect([...where, found, width > viewport.width]).toEqual([...where, [], false]);
  }
}
