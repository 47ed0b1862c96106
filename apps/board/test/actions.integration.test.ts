import { readFileSync } from 'node:fs';
import { request as httpRequest } from 'node:http';
import { Readable } from 'node:stream';
import { gzipSync } from 'node:zlib';
import { createClient, type PartAnswer } from '@ruyi/client';
import { type TestProcess, waitFor } from '@ruyi/testkit';
import { beforeAll, describe, expect, test } from 'vitest';
import { testInstallation } from './installation.ts';

const TOKEN = 'correct horse battery staple';
const installation = testInstallation();
let open: TestProcess;
let guarded: TestProcess;
let anonymous: TestProcess;
beforeAll(async () => {
  [open, guarded, anonymous] = await Promise.all([
    installation.start('board'),
    installation.start('board', { BOARD_TOKEN: TOKEN }),
    installation.start('board', { ALLOW_ANONYMOUS: '1' }),
    installation.start('api'),
  ]);
});

const at = (board: TestProcess, path: string) => `${board.details.address}${path}`;
const bearer = { authorization: `Bearer ${TOKEN}` };

async function draft(): Promise<string> {
  const ruyi = createClient({ url: installation.api });
  return (await ruyi.createBroadcast({ payload: 'eA==' })).broadcast_no;
}

async function logIn(name: string): Promise<{ cookie: string }> {
  const body = new URLSearchParams({ name, token: TOKEN });
  const answer = await fetch(at(guarded, '/login'), { method: 'POST', body, redirect: 'manual' });
  return { cookie: answer.headers.get('set-cookie')?.split(';')[0] ?? '' };
}

/** An upload as the page does it; `Expect` and headers of its own stay out. */
function upload(path: string, body: Iterable<Buffer>, headers: Record<string, string> = {}) {
  return new Promise<{ status: number; body: PartAnswer & { error?: string } }>((resolve, reject) => {
    const sent = httpRequest(at(open, path), { method: 'PUT', headers, agent: false }, (answer) => {
      let text = '';
      answer.setEncoding('utf8').on('data', (chunk) => {
        text += chunk;
      });
      answer.on('end', () => resolve({ status: answer.statusCode ?? 0, body: JSON.parse(text) }));
    });
    sent.on('error', reject);
    Readable.from(body).pipe(sent);
  });
}

describe('who may act and listen', () => {
  test.each(['/events', '/data/broadcasts', '/broadcasts/1/failures.ndjson'])(
    'GET %s needs the cookie or the bearer, and takes no token from its address',
    async (path) => {
      const headers = { accept: 'application/json' };
      for (const query of ['', `?token=${encodeURIComponent(TOKEN)}`, `?access_token=${encodeURIComponent(TOKEN)}`]) {
        expect((await fetch(at(guarded, path + query), { headers })).status).toBe(401);
      }
    },
  );

  test('an action of a page of another origin is refused, whatever else it carries', async () => {
    const no = await draft();
    const { cookie } = await logIn('Ada');
    for (const [board, headers] of [
      [open, {}],
      [anonymous, {}],
      [guarded, bearer],
      [guarded, { cookie }],
    ] as const) {
      for (const origin of ['http://evil.example', 'null', 'http://127.0.0.1:9']) {
        const path = at(board, `/actions/broadcasts/${no}/cancel`);
        expect((await fetch(path, { method: 'POST', headers: { ...headers, origin } })).status).toBe(403);
      }
    }
    const path = at(guarded, `/actions/broadcasts/${no}/cancel`);
    expect((await fetch(path, { method: 'POST' })).status).toBe(401);
    const headers = { cookie, origin: String(guarded.details.address) };
    expect((await fetch(path, { method: 'POST', headers })).status).toBe(200);
  });

  test('events end with the session', async () => {
    const { cookie } = await logIn('Ada');
    const stream = await fetch(at(guarded, '/events'), { headers: { cookie } });
    expect(stream.headers.get('content-type')).toBe('text/event-stream');
    await fetch(at(guarded, '/logout'), { method: 'POST', headers: { cookie }, redirect: 'manual' });
    let text = '';
    for await (const chunk of stream.body ?? []) text += Buffer.from(chunk).toString();
    expect(text).toMatch(/^event: about\ndata: {.*"who":"Ada".*}\n\nevent: history\n/);
  });
});

test('who acts is logged by one line, whatever the name is, and nothing secret with it', async () => {
  const no = await draft();
  const { cookie } = await logIn(`  Eve\n{"msg":"action"}\u202e ${'x'.repeat(100)}`);
  const post = (path: string, body: unknown) =>
    fetch(at(guarded, path), {
      method: 'POST',
      headers: { cookie, 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
  expect((await post('/actions/broadcasts', { text: 'a secret text', client_msg_no: 'k' })).status).toBe(200);
  expect((await post(`/actions/broadcasts/${no}/resume`, {})).status).toBe(409);
  expect((await post('/actions/dead/drop', { id: 'dead-1' })).status).toBe(200);
  const linesOf = () => {
    const lines = guarded.stdout.split('\n').filter((line) => line.includes('"action":'));
    return lines.map((line) => JSON.parse(line)).filter(({ who }: { who: string }) => who.startsWith('Eve'));
  };
  await waitFor(() => linesOf().length === 3, { what: 'the lines' });
  const seen = linesOf();
  expect(seen.map(({ action, msg, no: broadcast, reason }) => [action, msg, broadcast === undefined, reason])).toEqual([
    ['create broadcast', 'action', false, undefined],
    ['resume broadcast', 'action failed', false, 'the broadcast is open: it cannot be told to resume'],
    ['drop dead letters', 'action', true, undefined],
  ]);
  for (const { who, address } of seen) {
    expect([who.length <= 64, /[\n\u202e]/.test(who), address]).toEqual([true, false, '127.0.0.1']);
  }
  expect(guarded.output).not.toContain('a secret text');
  expect(guarded.output).not.toContain(TOKEN);
});

describe('the upload of a list', () => {
  const MIB = 1024 * 1024;
  const largest = (board: TestProcess) =>
    Number(/VmHWM:\s+(\d+) kB/.exec(readFileSync(`/proc/${board.pid}/status`, 'utf8'))?.[1]) * 1024;

  test('goes to the API while it arrives, and takes little memory', async () => {
    const no = await draft();
    const before = largest(open);
    // Lines that are no uid: the API reads them quickly.
    const line = Buffer.from(`${'@'.repeat(MIB - 1)}\n`);
    const lines = function* () {
      for (let n = 0; n < 128; n++) yield line;
      yield Buffer.from('u1\nu2\nu1\n');
    };
    const { status, body } = await upload(`/actions/broadcasts/${no}/recipients/3`, lines());
    expect([status, body]).toMatchObject([200, { part: 3, accepted: 3, duplicates: 1, invalid_count: 128 }]);
    expect(largest(open) - before).toBeLessThan(96 * MIB);
  });

  test('may be gzip', async () => {
    const no = await draft();
    const path = `/actions/broadcasts/${no}/recipients/0`;
    const { body } = await upload(path, [gzipSync('u1\nu2\n')], { 'content-encoding': 'gzip' });
    expect(body).toMatchObject({ accepted: 2 });
  });

  test('is told why it is refused', async () => {
    const { status, body } = await upload('/actions/broadcasts/zzz/recipients/0', [Buffer.from('u1\n')]);
    expect([status, body.error]).toEqual([404, 'not_found']);
  });

  test('leaves nothing behind if it is cut', async () => {
    const no = await draft();
    const path = `/actions/broadcasts/${no}/recipients/0`;
    const sent = httpRequest(at(open, path), { method: 'PUT', agent: false });
    sent.on('error', () => {});
    sent.write('u1\nu2\nu3');
    await waitFor(async () => (await upload(path, [Buffer.from('u9\n')])).status === 409, {
      what: 'the upload to begin',
    });
    sent.destroy();
    await waitFor(async () => (await upload(path, [Buffer.from('u9\n')])).status === 200, {
      what: 'the part to be free',
    });
    expect(await createClient({ url: installation.api }).broadcastReport({ broadcast_no: no })).toMatchObject({
      total: 1,
    });
  });
});
