import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import {
  createMeilisearchEngine,
  type SearchDocument,
  type SearchEngine,
  SearchProcesses,
  type SearchQuery,
  SearchUnavailableError,
} from '@ruyi/search';
import { expectNoLeaks } from '@ruyi/testkit';
import { afterAll, afterEach, describe, expect, test } from 'vitest';
import { personal, queryOf, user } from './contract/documents.ts';
import { patientBounds } from './patientBounds.ts';

let servers: Server[] = [];
afterEach(async () => {
  for (const server of servers) {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }
  servers = [];
});
afterAll(expectNoLeaks);

async function listen(answer: RequestListener): Promise<string> {
  const server = createServer(answer);
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** A server that has the index and accepts nothing else. */
const hasIndex: RequestListener = (_, response) => {
  response.writeHead(200, { 'content-type': 'application/json' });
  response.end(JSON.stringify({ uid: 'messages_v2' }));
};

const open = (url: string): SearchEngine => createMeilisearchEngine({ url, apiKey: '', role: 'writer' });

const MESSAGE = personal('m1', 'ann', 'bob', '消息');
const QUERY = queryOf({ audience: [user('ann')] });

/** What no caller can give if the types are kept: it makes the adapter itself fail. */
const BROKEN_MESSAGE: SearchDocument = JSON.parse(JSON.stringify({ ...MESSAGE, text: null }));
const BROKEN_QUERY: SearchQuery = JSON.parse(JSON.stringify({ ...QUERY, anyOf: [null] }));

describe('a defect in the Meilisearch adapter', () => {
  test('is thrown as it is, not as a server that does not answer', async () => {
    const engine = open(await listen(hasIndex));
    await expect(engine.index([BROKEN_MESSAGE])).rejects.toThrow(TypeError);
    await expect(engine.search(BROKEN_QUERY)).rejects.toThrow(TypeError);
  });

  test('in a search process reaches the caller with its own error as cause, and the next search is served', async () => {
    const url = await listen(hasIndex);
    const processes = new SearchProcesses({ engine: { name: 'meilisearch', url, apiKey: '' }, bounds: patientBounds });
    const failure = await processes.run('ann', (turn) => turn.search(BROKEN_QUERY)).catch((error: unknown) => error);
    const next = await processes.run('ann', (turn) => turn.search({ ...QUERY, audience: [] }));
    await processes.close();
    expect(failure).not.toBeInstanceOf(SearchUnavailableError);
    expect(String(failure)).toMatch(/^Error: the search failed: /);
    expect(failure instanceof Error && failure.cause).toBeInstanceOf(TypeError);
    expect(next).toEqual({ total: 0, hits: [] });
  });
});

describe('unavailable is a Meilisearch', () => {
  test.each<[string, RequestListener]>([
    ['that hangs up', (request) => request.socket.destroy()],
    ['that does not answer within 5 s', () => {}],
    [
      'behind a proxy that answers with a page',
      (_, response) => {
        response.writeHead(502, { 'content-type': 'text/html' });
        response.end('<h1>Bad Gateway</h1>');
      },
    ],
    [
      'that answers with an error',
      (_, response) => {
        response.writeHead(503, { 'content-type': 'application/json' });
        response.end(JSON.stringify({ message: 'busy', code: 'internal', type: 'internal' }));
      },
    ],
  ])('%s', async (_, answer) => {
    await expect(open(await listen(answer)).search(QUERY)).rejects.toThrow(SearchUnavailableError);
  });

  test('that is not there', async () => {
    const engine = open('http://127.0.0.1:1');
    await expect(engine.search(QUERY)).rejects.toThrow(SearchUnavailableError);
    await expect(engine.index([MESSAGE])).rejects.toThrow(SearchUnavailableError);
  });
});
