import { readFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { isDeepStrictEqual } from 'node:util';
import { createMeilisearchEngine, type SearchDocument, type SearchQuery, SearchUnavailableError } from '@ruyi/search';
import { afterEach, expect, test } from 'vitest';
import { queryOf, user } from './contract/documents.ts';

/**
 * Tests the Meilisearch adapter with recorded answers of a real 1.50.0, for machines without one. They are answers to single
 * requests. What an index finds is tested on a real server (MEILI_URL); how answers are understood is tested here.
 */
interface Exchange {
  case: string;
  request: { method: string; path: string; body?: string | null };
  response: { status: number; body: unknown };
}

const EXCHANGES = readFileSync(new URL('./recorded/meilisearch-1.50.0.jsonl', import.meta.url), 'utf8')
  .trim()
  .split('\n')
  .map((line): Exchange => JSON.parse(line));

/** The recorded answer in a case. The end of a task is the answer to the GET of the same case. */
function answerOf(name: string, method: string) {
  const found = EXCHANGES.find((exchange) => exchange.case === name && exchange.request.method === method);
  if (!found) throw new Error(`nothing was recorded for ${method} in "${name}"`);
  return found.response;
}

let server: Server | undefined;
afterEach(() => {
  server?.closeAllConnections();
  server?.close();
});

/** A server that answers each request with the case that `script` names for it. Tasks end as recorded. */
async function replay(script: (method: string, path: string, body: string) => string, headers: object = {}) {
  const seen: string[] = [];
  const tasks = new Map<number, string>();
  server = createServer((request, response) => {
    let body = '';
    request.on('data', (part) => {
      body += part;
    });
    request.on('end', () => {
      const [method, path] = [request.method ?? '', (request.url ?? '').split('?')[0] ?? ''];
      const task = tasks.get(Number(/^\/tasks\/(\d+)$/.exec(path)?.[1] ?? -1));
      const name = task ?? script(method, path, body);
      const answer = task === undefined ? recorded(name) : answerOf(task, 'GET');
      seen.push(`${method} ${path}`);
      if (answer.status === 202) tasks.set((answer.body as { taskUid: number }).taskUid, name);
      response.writeHead(answer.status, { 'content-type': 'application/json', ...headers });
      response.end(JSON.stringify(answer.body));
    });
  });
  await new Promise<void>((resolve) => server?.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const engine = createMeilisearchEngine({ url: `http://127.0.0.1:${port}`, apiKey: 'key', role: 'writer' });
  return { engine, seen };
}

const recorded = (name: string) =>
  EXCHANGES.find((exchange) => exchange.case === name)?.response ?? expect.fail(`no case "${name}"`);

const MISSING = 'search in a missing index';
const PRESENT = 'stats';
const document = (id: string): SearchDocument => ({
  id,
  audience: ['aa11'],
  from: 'aa11',
  channel: '',
  channelId: '',
  channelType: 1,
  topic: '',
  timestamp: 1,
  expiresAt: 0,
  order: 1,
  text: { content: '你好' },
  locator: '{}',
});
const QUERY: SearchQuery = {
  audience: ['aa11'],
  text: {},
  payloadTypes: [],
  startTime: 0,
  endTime: 0,
  now: 1,
  offset: 0,
  limit: 10,
  locate: [],
};

test.each([
  ['create the index', true],
  ['create it again: the task fails', false],
])('%s: created is %s, and the settings are always set', async (creation, created) => {
  const { engine, seen } = await replay((method) =>
    method === 'GET' ? MISSING : method === 'PATCH' ? 'settings' : creation,
  );
  expect(await engine.prepare()).toEqual({ created });
  expect(seen).toContain('PATCH /indexes/messages_v2/settings');
});

test('if the task of a batch fails because of one bad id, only that document is refused', async () => {
  const { engine } = await replay((method, _path, body) => {
    if (method === 'GET') return PRESENT;
    return body.includes('bad id!') ? 'one bad document id fails the whole task' : 'add documents as NDJSON';
  });
  const documents = ['m1', 'm2', 'bad id!', 'm3', 'm4'].map(document);
  const refused = await engine.index(documents);
  expect(refused).toEqual([{ id: 'bad id!', reason: expect.stringContaining('bad id!') }]);
});

test('a batch that is refused as malformed is halved too', async () => {
  const { engine } = await replay((method, _path, body) => {
    if (method === 'GET') return PRESENT;
    return body.includes('m2') ? 'malformed JSON' : 'add documents as NDJSON';
  });
  expect((await engine.index(['m1', 'm2', 'm3'].map(document))).map(({ id }) => id)).toEqual(['m2']);
});

test.each(['no key', 'wrong key', MISSING])(
  'a search that is answered "%s" is unavailable, and says why',
  async (name) => {
    const { engine } = await replay(() => name);
    const { message } = recorded(name).body as { message: string };
    await expect(engine.search(QUERY)).rejects.toThrow(SearchUnavailableError);
    await expect(engine.search(QUERY)).rejects.toThrow(message);
  },
);

test('the Retry-After of a server is part of the error', async () => {
  const { engine } = await replay(() => 'wrong key', { 'retry-after': '10' });
  await expect(engine.search(QUERY)).rejects.toMatchObject({ retryAfterMs: 10_000 });
});

test.each([
  ['empty query: newest first', {}],
  ['multi-search federated', { content: '你好', title: '你好' }],
])('%s: total and hits are those of the server', async (name, text) => {
  const { engine } = await replay(() => name);
  const { totalHits, hits } = recorded(name).body as { totalHits: number; hits: { id: string }[] };
  const found = await engine.search({ ...QUERY, text });
  expect(found.total).toBe(totalHits);
  expect(found.hits.map(({ id }) => id)).toEqual(hits.map(({ id }) => id));
});

/** A server that answers identical requests as recorded, and all others with an error. */
async function replayExactly(name: string) {
  const exchanges = EXCHANGES.filter((exchange) => exchange.case === name);
  server = createServer((request, response) => {
    let body = '';
    request.on('data', (part) => {
      body += part;
    });
    request.on('end', () => {
      const asked = JSON.parse(body);
      const known = exchanges.find(
        (one) => one.request.path === request.url && isDeepStrictEqual(JSON.parse(one.request.body ?? '{}'), asked),
      );
      response.writeHead(known?.response.status ?? 400, { 'content-type': 'application/json' });
      response.end(
        JSON.stringify(known?.response.body ?? { message: `never asked: ${body}`, code: 'bad', type: 'bad' }),
      );
    });
  });
  await new Promise<void>((resolve) => server?.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return createMeilisearchEngine({ url: `http://127.0.0.1:${port}`, apiKey: '', role: 'reader' });
}

test.each([
  ['whole words before beginnings', { content: 'java' }, ['m1', 'm3', 'm2'], 3],
  // The server's candidates include "2.1.3 or v2.1.30": it has all neighbours of the phrase, but not the phrase.
  ['candidates of a phrase', { content: 'v2.1.3' }, ['m4'], 1],
  ['candidates of a phrase in two fields', { content: 'v2.1.3', title: 'v2.1.3' }, ['m6', 'm4'], 2],
])('%s: the request is the recorded one, and the candidates are verified', async (name, text, found, total) => {
  const engine = await replayExactly(name);
  const result = await engine.search(queryOf({ audience: [user('ann')], text, limit: 10 }));
  expect([result.hits.map(({ id }) => id), result.total]).toEqual([found, total]);
});

test('the server is not asked if nothing can be found', async () => {
  const { engine, seen } = await replay(() => 'empty filter matches everything');
  expect(await engine.search({ ...QUERY, audience: [] })).toEqual({ total: 0, hits: [] });
  expect(await engine.search({ ...QUERY, text: { content: '!!!' } })).toEqual({ total: 0, hits: [] });
  expect(await engine.search({ ...QUERY, anyOf: [{}] })).toEqual({ total: 0, hits: [] });
  expect(seen).toEqual([]);
});
