import { request as httpRequest } from 'node:http';
import { fileURLToPath } from 'node:url';
import { startProcess, startRedis, type TestProcess, type TestRedis, waitFor } from '@ruyi/testkit';
import { Queue } from 'bullmq';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

const MAIN = fileURLToPath(new URL('../dist/main.js', import.meta.url));
const TOKEN = 'correct horse battery staple';

let redis: TestRedis;
const boards: TestProcess[] = [];
let open: TestProcess;
let guarded: TestProcess;
let anonymous: TestProcess;

async function start(env: Record<string, string> = {}): Promise<TestProcess> {
  const board = await startProcess(MAIN, { REDIS_URL: redis.url, BOARD_PORT: '0', LANES: '1', ...env });
  boards.push(board);
  return board;
}

beforeAll(async () => {
  redis = await startRedis();
  [open, guarded, anonymous] = await Promise.all([
    start(),
    start({ BOARD_TOKEN: TOKEN }),
    start({ ALLOW_ANONYMOUS: '1' }),
  ]);
});
afterAll(async () => {
  for (const board of boards) expect(await board.kill('SIGTERM')).toEqual({ code: 0, signal: null });
  await redis.stop();
});

const addressOf = (board: TestProcess) => String(board.details.address);

/** `fetch` sets some headers itself and refuses others. */
function ask(board: TestProcess, method: string, path: string, headers: Record<string, string> = {}, body = '') {
  return new Promise<{ status: number; cookie: string; location: string; body: string }>((resolve, reject) => {
    const sent = httpRequest(addressOf(board) + path, { method, headers, agent: false }, (answer) => {
      let text = '';
      answer.setEncoding('utf8').on('data', (chunk) => {
        text += chunk;
      });
      answer.on('end', () =>
        resolve({
          status: answer.statusCode ?? 0,
          cookie: String(answer.headers['set-cookie'] ?? ''),
          location: answer.headers.location ?? '',
          body: text,
        }),
      );
    });
    sent.on('error', reject).end(body);
  });
}

const FORM = { 'content-type': 'application/x-www-form-urlencoded' };
const logIn = (board: TestProcess, token: string, headers: Record<string, string> = {}) =>
  ask(board, 'POST', '/login', { ...FORM, ...headers }, new URLSearchParams({ token }).toString());
const session = async (board: TestProcess) => ({ cookie: (await logIn(board, TOKEN)).cookie.split(';')[0] ?? '' });

const HOSTS = ['127.0.0.1:1', 'LocalHost', '[::1]:9', 'evil.example', '10.0.0.1'];
const ORIGINS = ['none', 'own', 'null', 'http://evil.example', 'http://127.0.0.1:9'];
const SITES = ['absent', 'none', 'same-origin', 'same-site', 'cross-site'];
const MODES = ['absent', 'navigate', 'cors'];

/** The rule of the contract (docs/api.md §1, 403), written a second time. */
function mustBeForbidden(host: string, origin: string, site: string, mode: string, isRead: boolean): boolean {
  if (host === 'evil.example' || host === '10.0.0.1') return true;
  if (mode === 'navigate' && isRead) return false;
  return site === 'same-site' || site === 'cross-site' || (origin !== 'none' && origin !== 'own');
}

describe('whose pages may ask, by Host, Origin, Sec-Fetch-Site and Sec-Fetch-Mode:', () => {
  const rows = HOSTS.flatMap((host) => ['GET', 'HEAD', 'PUT'].map((method) => ({ host, method })));
  test.each(rows)('$method on $host', async ({ host, method }) => {
    const isRead = method !== 'PUT';
    const path = isRead ? '/queues/api/queues' : '/queues/api/queues/dead/retry/failed';
    const cases = ORIGINS.flatMap((origin) => SITES.flatMap((site) => MODES.map((mode) => ({ origin, site, mode }))));
    for (const { origin, site, mode } of cases) {
      const headers = {
        host,
        ...(origin === 'none' ? {} : { origin: origin === 'own' ? `http://${host.toLowerCase()}` : origin }),
        ...(site === 'absent' ? {} : { 'sec-fetch-site': site }),
        ...(mode === 'absent' ? {} : { 'sec-fetch-mode': mode }),
      };
      const forbidden = async (board: TestProcess, more = {}) =>
        (await ask(board, method, path, { ...headers, ...more })).status === 403;
      const seen = {
        open: await forbidden(open),
        guarded: await forbidden(guarded, { authorization: `Bearer ${TOKEN}` }),
        anonymous: await forbidden(anonymous),
        probed: (await ask(open, 'GET', '/health', headers)).status === 403,
      };
      const expected = {
        open: mustBeForbidden(host, origin, site, mode, isRead),
        guarded: !isRead && !['none', 'own', `http://${host}`].includes(origin),
        anonymous: false,
        probed: false,
      };
      expect({ origin, site, mode, ...seen }).toEqual({ origin, site, mode, ...expected });
    }
  });

  test("behind a proxy that ends TLS, the board's own origin is https", async () => {
    const headers = { host: 'board.example', 'x-forwarded-proto': 'https' };
    expect((await logIn(guarded, TOKEN, { ...headers, origin: 'https://board.example' })).status).toBe(303);
    expect((await logIn(guarded, TOKEN, { ...headers, origin: 'https://evil.example' })).status).toBe(403);
  });
});

test('a session is ended by a form, not by a link', async () => {
  const headers = await session(guarded);
  const asked = () => ask(guarded, 'GET', '/queues/api/queues', headers);
  const { body } = await ask(guarded, 'GET', '/logout', headers);
  expect(body).toContain('<form method="post" action="/logout">');
  expect((await asked()).status).toBe(200);
  expect((await ask(guarded, 'POST', '/logout', { ...headers, origin: 'http://evil.example' })).status).toBe(403);
  expect((await asked()).status).toBe(200);
  const { status, location } = await ask(guarded, 'POST', '/logout', { ...headers, origin: addressOf(guarded) });
  expect([status, location]).toEqual([303, '/login']);
  expect((await asked()).status).toBe(401);
});

test.each(['101', '1000000000', '1e9', '+500', '0xffff', ' 5000 '])(
  'a page asked for %s jobs has 100',
  async (count) => {
    const queue = new Queue('dead', { connection: { url: redis.url }, prefix: '{r.dead}' });
    await queue.addBulk(Array.from({ length: 130 }, (_, n) => ({ name: 'dead', data: { n } })));
    const path = (perPage: string) => `/queues/api/queues?activeQueue=dead&status=waiting&jobsPerPage=${perPage}`;
    const jobs = async (perPage: string) => {
      const { status, body } = await ask(open, 'GET', path(perPage));
      expect(status).toBe(200);
      const { queues }: { queues: { name: string; jobs: unknown[] }[] } = JSON.parse(body);
      return queues.find(({ name }) => name === 'dead')?.jobs.length;
    };
    expect(await jobs(encodeURIComponent(count))).toBe(100);
    expect(await jobs('100')).toBe(100);
    expect(await jobs('7')).toBe(7);
    await queue.obliterate({ force: true });
    await queue.close();
  },
);

describe('who guesses the token', () => {
  const timed = async <T>(ask: () => Promise<T>) => {
    const began = performance.now();
    const answer = await ask();
    return { answer, isSlow: performance.now() - began > 990 };
  };
  const bearer = (board: TestProcess, token: string) =>
    ask(board, 'GET', '/queues/api/queues', { authorization: `Bearer ${token}` });

  test.each([
    ['in the form', (board: TestProcess, token: string) => logIn(board, token), 303],
    ['as a bearer', bearer, 200],
  ])('%s waits a second after ten failures, and so does the right one, which ends it', async (_, attempt, right) => {
    const board = await start({ BOARD_TOKEN: TOKEN });
    const { cookie } = await session(board);
    for (let n = 0; n < 10; n++) expect((await attempt(board, `wrong ${n}`)).status).toBe(401);
    const wrong = await timed(() => attempt(board, 'wrong'));
    expect([wrong.answer.status, wrong.isSlow]).toEqual([401, true]);
    // Whoever is logged in does not wait and needs no token.
    expect((await ask(board, 'GET', '/queues/api/queues', { cookie })).status).toBe(200);
    const good = await timed(() => attempt(board, TOKEN));
    expect([good.answer.status, good.isSlow]).toEqual([right, true]);
    expect((await attempt(board, 'wrong')).status).toBe(401);
  });

  test('with many tries at once, is refused most of them and locks nobody out', async () => {
    const board = await start({ BOARD_TOKEN: TOKEN });
    for (let n = 0; n < 10; n++) await logIn(board, 'wrong');
    // On a busy machine the first ones may be answered before the last ones come.
    const refused = await waitFor(async () => {
      const tries = await Promise.all(Array.from({ length: 150 }, () => logIn(board, 'wrong')));
      return tries.some(({ status }) => status === 429) && tries.map(({ status }) => status);
    });
    expect(refused.filter((status) => status === 401).length).toBeGreaterThanOrEqual(100);
    expect([...new Set(refused)].sort()).toEqual([401, 429]);
    expect((await logIn(board, TOKEN)).status).toBe(303);
  });
});
