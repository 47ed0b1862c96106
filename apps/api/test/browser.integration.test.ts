import { createServer, type Server } from 'node:http';
import { findChromium, tempDir, waitFor } from '@ruyi/testkit';
import { type BrowserContext, chromium, type Page } from 'playwright-core';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { testSystem, unfinishedJobs } from './harness.ts';

// `npm test` installs it where it can, and says so where it cannot.
const executablePath = findChromium();
if (executablePath === undefined) console.log('skipped: tests in a browser; there is no Chromium');
const ARGS = [
  '--headless',
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  // An attacker's name, which now resolves to this machine (DNS rebinding).
  '--host-resolver-rules=MAP evil.example 127.0.0.1',
];
const READ = '/channel/max_message_seq?channel_id=room&channel_type=2';
const MESSAGE = '{"channel_id":"room","channel_type":2,"payload":"YQ==","more":""}';

/** What a script can do about another origin without asking it first, each with a valid message; as the page gets it. */
const ATTEMPTS: Record<string, string> = {
  'a fetch of text': `fetch(api + '/message/send', { method: 'POST', mode: 'no-cors', body: message }).catch(() => 0)`,
  'a fetch that wants to read': `fetch(api + '/message/send', { method: 'POST', body: message }).catch(() => 0)`,
  'a beacon': `navigator.sendBeacon(api + '/message/send', message)`,
  // As text/plain it is sent as name=value, which is the message with an = in its last text.
  'a form': `
    const form = document.createElement('form');
    Object.assign(form, { method: 'post', action: api + '/message/send', enctype: 'text/plain', target: 'answer' });
    const field = document.createElement('input');
    Object.assign(field, { type: 'hidden', name: message.slice(0, -2), value: message.slice(-2) });
    form.append(field);
    document.body.append(form, Object.assign(document.createElement('iframe'), { name: 'answer' }));
    form.submit();`,
  'an image': `document.body.append(Object.assign(new Image(), { src: api + path }))`,
};
const POST = `fetch('/message/send', { method: 'POST', body: ${JSON.stringify(MESSAGE)} }).then(({ status }) => status)`;

describe.skipIf(executablePath === undefined)('a web page in a browser', () => {
  const system = testSystem();
  const folder = tempDir('browser');
  let context: BrowserContext;
  let pages: Server;
  let page: Page;
  let port = 0;

  beforeAll(async () => {
    pages = createServer((_, response) => response.setHeader('content-type', 'text/html').end('<body>a page</body>'));
    await new Promise<void>((resolve) => {
      pages.listen(0, '127.0.0.1', resolve);
    });
    const address = pages.address();
    port = typeof address === 'object' && address ? address.port : 0;
    const options = { args: ARGS, headless: true, ...(executablePath ? { executablePath } : {}) };
    context = await chromium.launchPersistentContext(folder.path, options);
  });
  // Start only when the page has finished loading.
  beforeEach(async () => {
    page = await context.newPage();
  });
  afterAll(async () => {
    await context.close();
    pages.closeAllConnections();
    pages.close();
    folder.remove();
  });

  /** Requests that the API has answered with this status, whatever the browser lets the page see. */
  async function answered(status: number): Promise<number> {
    const text = await (await fetch(`${system.address}/metrics`)).text();
    const counts = text.matchAll(/^ruyi_http_request_seconds_count\{([^}]*)\} (\d+)/gm);
    return [...counts].reduce(
      (sum, [, labels, n]) => sum + (labels?.includes(`status="${status}"`) ? Number(n) : 0),
      0,
    );
  }

  const rows = ['127.0.0.1', 'localhost', 'evil.example'].flatMap((host) =>
    Object.entries(ATTEMPTS).map(([what, attempt]) => ({ host, what, attempt })),
  );
  test.each(rows)('on another port of $host cannot send by $what', async ({ host, attempt }) => {
    const before = { jobs: await unfinishedJobs(system.redis), refused: await answered(403) };
    await page.goto(`http://${host}:${port}/`);
    const target = JSON.stringify({ api: system.address, path: READ, message: MESSAGE });
    await page.evaluate(`(({ api, path, message }) => { ${attempt} })(${target})`);
    await waitFor(async () => (await answered(403)) > before.refused, { what: 'it to be refused' });
    expect(await unfinishedJobs(system.redis)).toBe(before.jobs);
  });

  test('whose name was made to point to the API cannot send, nor read what it opens', async () => {
    const api = `http://evil.example:${new URL(system.address).port}`;
    const before = await unfinishedJobs(system.redis);
    // A page of the attacker's, loaded before the name moved; /health is open to any name.
    await page.goto(`${api}/health`);
    expect(await page.evaluate(POST)).toBe(403);
    expect((await page.goto(`${api}${READ}`))?.status()).toBe(403);
    expect(await unfinishedJobs(system.redis)).toBe(before);
  });

  test('of the API itself can, and a link to it from anywhere leads there', async () => {
    const before = await unfinishedJobs(system.redis);
    await page.goto(`http://localhost:${port}/`);
    const [response] = await Promise.all([
      page.waitForResponse((answer) => answer.url() === system.address + READ),
      // In a later turn, because navigating ends the evaluation of this script.
      page.evaluate(`void setTimeout(() => { location.href = ${JSON.stringify(system.address + READ)} })`),
      page.waitForURL(system.address + READ),
    ]);
    expect(response.status()).toBe(200);
    expect(await page.evaluate(POST)).toBe(200);
    expect(await unfinishedJobs(system.redis)).toBe(before + 1);
  });
});
