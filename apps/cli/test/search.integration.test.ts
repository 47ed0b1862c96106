import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import { startProcess } from '@ruyi/testkit';
import { afterEach, expect, test } from 'vitest';
import { parseAnswer } from '../src/commands/searchAnswer.ts';

const RUYI = fileURLToPath(new URL('../dist/main.js', import.meta.url));

const message = (payload: string, more: object = {}) => {
  const rest = { message_seq: 3, from_uid: 'ben', channel_id: 'room', channel_type: 2, timestamp: 0, ...more };
  return `${JSON.stringify(rest).slice(0, -1)},"payload":${payload}}`;
};
const answerOf = (payloads: string[], more = '') =>
  `{"total":${payloads.length},"limit":20,"page":1,"messages":[${payloads.map((one) => message(one)).join(',')}]${more}}`;

let server: Server | undefined;
afterEach(async () => {
  await new Promise((resolve) => (server ? server.close(resolve) : resolve(undefined)));
  server = undefined;
});

/** Tests what `ruyi search` prints of an answer over HTTP. The API's tests show which answers there are. */
async function printed(answer: string | Buffer, status = 200) {
  server = createServer((request, response) => {
    request.resume();
    response.writeHead(status, { connection: 'close' }).end(answer);
  });
  await new Promise<void>((resolve) => server?.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const process = await startProcess(
    RUYI,
    { PORT: String(port) },
    { args: ['search', '--uid', 'ann', 'x'], waitForReady: false },
  );
  const { code } = await process.exit;
  return { code, lines: process.stdout.split('\n').slice(0, -1), stderr: process.stderr };
}

const LINE = '1970-01-01T00:00:00.000Z\t2:room #3\tben\t';

test('prints texts, and payloads without a text as they are', async () => {
  const payloads = [
    '{"content":"old","n":1,"content":"a <mark>hit</mark> here"}',
    '{"b":12345678901234567890,"a":1.10,"a":1e400}',
    '{}',
    '{"content":5}',
    `"${Buffer.from('{"content":"in base64"}').toString('base64')}"`,
    `"${Buffer.from('no object').toString('base64')}"`,
    '""',
    'null',
    '[1,"content"]',
    `{"a":${'['.repeat(99)}${']'.repeat(99)}}`,
  ];
  const { code, lines, stderr } = await printed(answerOf(payloads));
  expect([code, stderr]).toEqual([0, '']);
  expect(lines).toEqual([
    `${LINE}a «hit» here`,
    `${LINE}{"b":12345678901234567890,"a":1.10,"a":1e400}`,
    `${LINE}{}`,
    `${LINE}{"content":5}`,
    `${LINE}in base64`,
    `${LINE}no object`,
    LINE,
    `${LINE}null`,
    `${LINE}[1,"content"]`,
    `${LINE}{"a":${'['.repeat(99)}${']'.repeat(99)}}`,
    '10 found',
  ]);
});

test('prints no control characters from messages', async () => {
  const { lines } = await printed(
    answerOf([
      '{"content":"a\\u001b[2Jb\\nc\\r\\u0007d\\u009b"}',
      '{"n":"\\u001b","x":\n1}',
      `"${Buffer.from('\u001b]0;x\u0007').toString('base64')}"`,
      `{"content":"<mark>\\u001b</mark>"}`,
    ]),
  );
  expect(lines).toEqual([`${LINE}a[2Jb c d`, `${LINE}{"n":"\\u001b","x": 1}`, `${LINE}]0;x`, `${LINE}«»`, '4 found']);
});

test('says so if a page is shorter because its messages are large', async () => {
  const { lines } = await printed(answerOf(['{}'], ',"truncated":true').replace('"total":1', '"total":7'));
  expect(lines.at(-1)).toBe('7 found, 1 shown (the messages are large)');
});

test.each([
  ['an error', '{"msg":"uid: is\\u001b required","status":400}', 400, 'uid: is required\n'],
  ['an error that is no JSON', '<html>', 502, 'the API answered 502\n'],
  ['what is no JSON', '<html>', 200, 'the API answered 200\n'],
  ['bytes that are no text', Buffer.from([0xff, 0xfe]), 200, 'the API answered 200\n'],
])('%s is one line, and exit 2 for a wrong value, otherwise 1', async (_, answer, status, line) => {
  expect(await printed(answer, status)).toEqual({ code: status === 400 ? 2 : 1, lines: [], stderr: line });
});

test('a malformed answer is read without a crash', () => {
  for (const text of ['{}', '{"messages":5}', '{"messages":[1,[],{}]}', '{"total":"x","messages":[{"payload":{}}]}']) {
    expect(parseAnswer(Buffer.from(text))?.messages.map(({ payload }) => payload) ?? []).toEqual(
      text.includes('[1') ? ['{}', '{}', '{}'] : text.includes('payload') ? ['{}'] : [],
    );
  }
});
