import { keys } from '@ruyi/store';
import { waitFor } from '@ruyi/testkit';
import { expect, test } from 'vitest';
import { testSystem } from './harness.ts';

const system = testSystem();

const search = () => system.post('/plugins/wk.plugin.search/usersearch', { uid: 'ann', payload: { content: 'hello' } });
const health = async () =>
  (await system.get<{ status: string; checks: { search: { status: string } } }>('/health')).body;

test('an API that does not see the index of the indexer refuses searches and says so, instead of a partial answer', async () => {
  await waitFor(async () => (await health()).checks.search.status === 'ok', { what: 'searches to be served' });
  const { client } = system.redis;
  const id = await client.hget(keys.meta, 'index-id');
  expect((await search()).status).toBe(200);

  await client.hset(keys.meta, 'index-id', 'of another folder');
  await waitFor(async () => (await search()).status === 503, { what: 'searches to be refused' });
  expect((await search()).body).toMatchObject({ code: 'unavailable', msg: expect.stringMatching(/share DATA_DIR/) });
  await waitFor(async () => (await health()).status === 'degraded', { what: 'the health to say so' });
  expect(await health()).toMatchObject({
    status: 'degraded',
    checks: { search: { status: 'degraded', fix: expect.stringContaining('DATA_DIR') } },
  });

  if (id === null) await client.hdel(keys.meta, 'index-id');
  else await client.hset(keys.meta, 'index-id', id);
  await waitFor(async () => (await search()).status === 200, { what: 'searches to be answered again' });
});
