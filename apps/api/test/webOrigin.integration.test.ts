import { describe, expect, test } from 'vitest';
import { fresh, group, testSystem, unfinishedJobs } from './harness.ts';
import { ask } from './rawHttp.ts';

const open = testSystem();
const guarded = testSystem([], { API_TOKEN: 'secret' });
const anonymous = testSystem([], { ALLOW_ANONYMOUS: '1' });

const HOSTS = [
  '127.0.0.1:PORT',
  'LOCALHOST.:PORT',
  '127.1.2.3',
  '[::1]:9',
  'evil.example',
  'evil.example:PORT',
  '10.0.0.1',
];
const ORIGINS = ['none', 'own', 'null', 'http://evil.example', 'http://127.0.0.1:9', 'http://localhost'];
const SITES = ['none', 'same-origin', 'same-site', 'cross-site', 'absent'];
const MODES = ['navigate', 'no-cors', 'cors', 'absent'];
const METHODS = ['GET', 'HEAD', 'POST', 'OPTIONS'];
const PATHS = ['/channel/max_message_seq?channel_id=g&channel_type=2', '/health', '/livez', '/readyz'];

/** The rule of the contract (docs/api.md §1, 403), once more: `forbidden` or not, for a server without a token. */
function mustBeForbidden(host: string, origin: string, site: string, mode: string, method: string): boolean {
  if (['evil.example', 'evil.example:PORT', '10.0.0.1'].includes(host)) return true;
  if (mode === 'navigate' && (method === 'GET' || method === 'HEAD')) return false;
  if (site === 'same-site' || site === 'cross-site') return true;
  return origin !== 'none' && origin !== 'own';
}

describe('of Host, Origin, Sec-Fetch-Site, Sec-Fetch-Mode and method', () => {
  const rows = METHODS.flatMap((method) => HOSTS.map((host) => ({ method, host })));
  test.each(rows)('$method on $host', async ({ method, host }) => {
    for (const [server, token] of [
      [open, ''],
      [guarded, 'secret'],
      [guarded, ''],
      [anonymous, ''],
    ] as const) {
      const port = new URL(server.address).port;
      const name = host.replace('PORT', port);
      const asked = ORIGINS.flatMap((origin) =>
        SITES.flatMap((site) =>
          MODES.flatMap((mode) =>
            PATHS.slice(0, origin === 'null' ? PATHS.length : 1).map(async (path) => {
              const headers = {
                host: name,
                ...(origin === 'none' ? {} : { origin: origin === 'own' ? `http://${name.toLowerCase()}` : origin }),
                ...(site === 'absent' ? {} : { 'sec-fetch-site': site }),
                ...(mode === 'absent' ? {} : { 'sec-fetch-mode': mode }),
                ...(token === '' ? {} : { token }),
              };
              const { status, body } = await ask(server.address, method, path, headers);
              const code = body === '' ? undefined : JSON.parse(body).code;
              const isExempt = path !== PATHS[0];
              const forbidden = server === open && !isExempt && mustBeForbidden(host, origin, site, mode, method);
              const what = { path, origin, site, mode };
              expect({ ...what, is403: status === 403 }).toEqual({ ...what, is403: forbidden });
              if (forbidden && method !== 'HEAD') expect(code).toBe('forbidden');
              const isRefused = server === guarded && token === '' && !isExempt;
              expect({ ...what, is401: status === 401 }).toEqual({ ...what, is401: isRefused });
            }),
          ),
        ),
      );
      await Promise.all(asked);
    }
  });
});

test('what is forbidden is not done, and is told why', async () => {
  const message = JSON.stringify({ ...group(fresh('room')), payload: 'YQ==' });
  const before = await unfinishedJobs(open.redis);
  for (const headers of [
    { host: 'evil.example' },
    { origin: 'http://evil.example' },
    { 'sec-fetch-site': 'cross-site' },
  ]) {
    const { status, body, headers: given } = await ask(open.address, 'POST', '/message/send', headers, message);
    expect([status, JSON.parse(body)]).toEqual([
      403,
      {
        status: 403,
        code: 'forbidden',
        msg: expect.stringContaining('set API_TOKEN'),
        doc: 'docs/errors.md#forbidden',
      },
    ]);
    expect(given['x-request-id']).toBeTruthy();
  }
  expect(await unfinishedJobs(open.redis)).toBe(before);
  expect((await ask(open.address, 'POST', '/message/send', {}, message)).status).toBe(200);
});
