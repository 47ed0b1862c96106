import { readFileSync } from 'node:fs';
import { createServer, type IncomingMessage, request, type Server, type ServerResponse } from 'node:http';
import { fileURLToPath } from 'node:url';
import { findChromium, tempDir, waitFor } from '@ruyi/testkit';
import { type BrowserContext, chromium, type Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createClient, textPayload } from '../src/index.ts';
import { testInstallation } from './installation.ts';

// `npm test` installs it where it can, and says so where it cannot.
const executablePath = findChromium();
if (executablePath === undefined) console.log('skipped: tests in a browser; there is no Chromium');
const ARGS = ['--headless', '--no-sandbox', '--disable-gpu', '--no-first-run', '--disable-background-networking'];

/** Serves a page and the built client, and hands everything else to the API, as a product's own server does. */
function proxyTo(api: () => URL): Server {
  return createServer((asked: IncomingMessage, response: ServerResponse) => {
    const path = asked.url ?? '/';
    if (path === '/') {
      response.setHeader('content-type', 'text/html').end('<!doctype html><body>a page</body>');
    } else if (path.startsWith('/client/')) {
      const file = new URL(`../dist/${path.slice('/client/'.length)}`, import.meta.url);
      response.setHeader('content-type', 'text/javascript').end(readFileSync(fileURLToPath(file)));
    } else {
      const onwards = { method: asked.method, path, headers: asked.headers };
      const passed = request(api(), onwards, (answer) => {
        response.writeHead(answer.statusCode ?? 502, answer.headers);
        answer.pipe(response);
      });
      passed.on('error', () => response.writeHead(502).end());
      asked.pipe(passed);
    }
  });
}

describe.skipIf(executablePath === undefined)('the built client in a browser', () => {
  const installation = testInstallation();
  const folder = tempDir('client browser');
  let context: BrowserContext;
  let page: Page;
  let proxy: Server;

  beforeAll(async () => {
    await Promise.all([installation.start('api'), installation.start('worker')]);
    proxy = proxyTo(() => new URL(installation.url));
    await new Promise<void>((resolve) => {
      proxy.listen(0, '127.0.0.1', resolve);
    });
    const address = proxy.address();
    const options = { args: ARGS, headless: true, ...(executablePath ? { executablePath } : {}) };
    context = await chromium.launchPersistentContext(folder.path, options);
    page = await context.newPage();
    await page.goto(`http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}/`);
  });
  afterAll(async () => {
    await context.close();
    proxy.closeAllConnections();
    proxy.close();
    folder.remove();
  });

  /** Runs statements in the page that end with `return …`; `ruyi` is a client of the page's own origin. */
  const inPage = <T>(statements: string): Promise<T> =>
    page.evaluate(`(async () => {
      const { createClient, RuyiError, textPayload } = await import('/client/index.js');
      const ruyi = createClient();
      ${statements}
    })()`);

  test('sends, reads and reports errors through a proxy of its own origin', async () => {
    const [seq, messages, code] = await inPage<[number, { payload: string }[], string]>(`
      const room = { channel_id: 'room', channel_type: 2 };
      const payload = textPayload({ type: 1, content: '你好' });
      const sent = await ruyi.send({ ...room, payload }, { headers: { prefer: 'wait=20' } });
      const { messages } = await ruyi.messageSync(room);
      const refused = await ruyi.sync({ uid: 'a@b' }).catch((error) => error);
      return [sent.data.message_seq, messages, refused instanceof RuyiError && refused.code];`);
    expect(seq).toBe(1);
    expect(messages).toMatchObject([{ payload: textPayload({ type: 1, content: '你好' }) }]);
    expect(code).toBe('invalid_request');
  });

  test('a batch of it reaches everyone', async () => {
    const batch_no = await inPage<string>(`
      const subscribers = Array.from({ length: 2000 }, (_, i) => 'u' + i);
      return (await ruyi.sendBatch({ subscribers, payload: textPayload('all') })).batch_no;`);
    const ruyi = createClient({ url: installation.url });
    const done = await waitFor(async () => {
      const progress = await ruyi.batchProgress({ batch_no });
      return progress.state === 'done' && progress;
    });
    expect(done.stored).toBe(2000);
  });

  test('a broadcast of a page reaches everyone', async () => {
    const report = await inPage<{ state: string; stored: number }>(`
      async function* uids() { for (let i = 0; i < 3000; i++) yield 'page' + i; }
      return ruyi.broadcast(uids(), { message: { payload: textPayload('all') }, recipientsPerPart: 1000, onPart() {} });`);
    expect(report).toMatchObject({ state: 'done', stored: 3000 });
  });
});
