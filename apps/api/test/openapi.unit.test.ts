import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { tempDir } from '@ruyi/testkit';
import { expect, test } from 'vitest';
import { openApiDocument } from '../src/openapi/document.ts';
import { sections } from '../src/routes/index.ts';
import { type OpenApi, operationsOf, type Published, validatorOf } from './publishedDocument.ts';

/** The document by itself, and the examples of docs/api.md held to it. */

const limits = { maxPayloadBytes: 256 * 1024, maxRecipients: 100_000 };
const text = (apiToken: string) => JSON.stringify(openApiDocument(sections, { ...limits, apiToken }));
const document: OpenApi = JSON.parse(text(''));
const operations = operationsOf(document);
const validator = validatorOf(document);

const REDOCLY = createRequire(import.meta.url).resolve('@redocly/cli/bin/cli.js');

interface Linted {
  totals: { errors: number; warnings: number; ignored: number };
  problems: { message: string; location: { pointer?: string }[] }[];
}

/** What `redocly lint` finds with its recommended rules. */
function linted(json: string): Linted {
  const folder = tempDir('openapi');
  const file = join(folder.path, 'openapi.json');
  writeFileSync(file, json);
  const env = { ...process.env, REDOCLY_TELEMETRY: 'off', REDOCLY_SUPPRESS_UPDATE_NOTICE: 'true' };
  const args = [REDOCLY, 'lint', file, '--format=json'];
  const { stdout, stderr } = spawnSync(process.execPath, args, { cwd: folder.path, encoding: 'utf8', env });
  folder.remove();
  if (!stdout.includes('{')) throw new Error(stderr);
  return JSON.parse(stdout.slice(stdout.indexOf('{')));
}

test('redocly finds nothing in the document', () => {
  const { totals, problems } = linted(text('secret'));
  expect({ totals, problems }).toEqual({ totals: { errors: 0, warnings: 0, ignored: 0 }, problems: [] });
});

test('redocly would', () => {
  expect(linted(text('').replace('"operationId":"send"', '"operationId":"sync"')).totals.errors).toBeGreaterThan(0);
});

const PAGE = readFileSync(new URL('../../../docs/api.md', import.meta.url), 'utf8');

function operationAt(method: string, path: string): Published {
  const [plain = ''] = path.split('?');
  const isAt = (one: Published) => new RegExp(`^${one.path.replace(/\{\w+\}/g, '[^/]+')}$`).test(plain);
  const found = operations.find((one) => one.method === method && isAt(one));
  return found ?? expect.fail(`${method} ${path} is not in the document`);
}

/** Every call of curl in a script: its method, path and body. */
const callsIn = (script: string) =>
  [...script.matchAll(/curl ([^|;)]*?)\$API(\/[^\s"']*)((?:(?!curl)[^|;)])*)/g)].map(
    ([, before = '', path = '', after = '']) => {
      const options = before + after;
      const [, body] = /-d '([\s\S]*?)'/.exec(options) ?? [];
      const [, named] = /-X (\w+)/.exec(options) ?? [];
      const method = named ?? (options.includes('-T') ? 'PUT' : body === undefined ? 'GET' : 'POST');
      return { method, path, body };
    },
  );

test('every request in the examples of docs/api.md is one that the document allows', () => {
  const calls = [...PAGE.matchAll(/^```sh\n([\s\S]*?)^```$/gm)].flatMap(([, script = '']) => callsIn(script));
  expect(calls.length).toBeGreaterThan(25);
  for (const { method, path, body } of calls) {
    const operation = operationAt(method, path);
    if (body === undefined || operation.operationId === 'uploadRecipients') continue;
    const problems = validator.problemsOfRequest(operation, JSON.parse(body));
    // The first one shows an error, and what the document says of it too.
    const expected = body === '{"channel_id":"g1","channel_type":2}' && path === '/message/send' ? 1 : 0;
    expect({ path, body, problems: problems.length }).toEqual({ path, body, problems: expected });
  }
});

/** Of the calls of a script the last one is the one whose answer is printed. */
test('every answer in the examples of docs/api.md is one that the document describes', () => {
  const examples = [...PAGE.matchAll(/^```sh\n([\s\S]*?)^```\n\n```json\n([\s\S]*?)^```$/gm)];
  expect(examples.length).toBeGreaterThan(20);
  for (const [, script = '', answer = ''] of examples) {
    const { method = '', path = '' } = callsIn(script).at(-1) ?? {};
    // One prints only a part of the answer.
    if (path.endsWith('/start')) continue;
    const status = answer.includes('"msg"') ? JSON.parse(answer).status : 200;
    const problems = validator.problemsOfAnswer(operationAt(method, path), status, 'application/json', answer);
    expect({ path, problems }).toEqual({ path, problems: [] });
  }
});

test('every request with a body has an example, and the document allows it', () => {
  const bodies = operations.filter(({ requestBody }) => requestBody !== undefined);
  expect(bodies.length).toBeGreaterThan(12);
  for (const operation of bodies.filter(({ method }) => method === 'POST')) {
    const example = operation.requestBody?.content['application/json']?.example;
    expect({ [operation.operationId]: validator.problemsOfRequest(operation, example) }).toEqual({
      [operation.operationId]: [],
    });
  }
});

test('the long example of GET /status is one that the document describes', () => {
  const [, example = ''] = /^```jsonc\n([\s\S]*?)^```$/m.exec(PAGE) ?? [];
  expect(validator.problemsOfAnswer(operationAt('GET', '/status'), 200, 'application/json', example)).toEqual([]);
});
