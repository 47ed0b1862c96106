import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { missingRights, SearchUnavailableError, serverVersion } from '@ruyi/search';
import { expectNoLeaks } from '@ruyi/testkit';
import { afterAll, beforeAll, expect, test } from 'vitest';

/** Answers as Meilisearch does: the right is looked at before the body. */
const refused = new Set<string>();
const changed: string[] = [];
const server = createServer(async (request, response) => {
  let body = '';
  for await (const piece of request.setEncoding('utf8')) body += piece;
  const path = (request.url ?? '').split('?')[0] ?? '';
  const isRefused = refused.has(`${request.method} ${path}`) || request.headers.authorization !== 'Bearer key';
  const isJson = body !== 'no JSON';
  if (request.method !== 'GET' && isJson && !isRefused) changed.push(path);
  const answer = path === '/version' ? { pkgVersion: '1.52.0' } : {};
  response.writeHead(isRefused ? 403 : isJson ? 200 : 400, { 'content-type': 'application/json' });
  response.end(JSON.stringify(answer));
});
let meiliUrl = '';

beforeAll(async () => {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  meiliUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
});
afterAll(async () => {
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
  expectNoLeaks();
});

test('the rights that a key lacks are named, and nothing is written', async () => {
  const settings = { meiliUrl, meiliApiKey: 'key' };
  expect(await missingRights(settings)).toEqual([]);
  refused.add('POST /indexes/messages_v2/documents').add('PATCH /indexes/messages_v2/settings');
  expect(await missingRights(settings)).toEqual(['documents.add', 'settings.update']);
  expect(await missingRights({ meiliUrl, meiliApiKey: 'wrong' })).toHaveLength(6);
  expect(await serverVersion(settings)).toBe('1.52.0');
  expect(changed).toEqual([]);
});

test('a server that does not answer is unavailable', async () => {
  const nobody = { meiliUrl: 'http://127.0.0.1:9', meiliApiKey: '' };
  await expect(missingRights(nobody)).rejects.toThrow(SearchUnavailableError);
  await expect(serverVersion(nobody)).rejects.toThrow(SearchUnavailableError);
});
