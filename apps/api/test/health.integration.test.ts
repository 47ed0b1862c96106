import { expect, test } from 'vitest';
import { base64, fresh, group, testSystem, text } from './harness.ts';

const whole = testSystem(['worker', 'indexer'], { API_TOKEN: 'secret' });
const NOBODY = 'http://127.0.0.1:9';
const unindexed = testSystem(['worker'], { MEILI_URL: NOBODY });

test('all is well: 200, without a token', async () => {
  const { status, body } = await whole.get('/health');
  expect([status, body]).toEqual([200, { status: 'ok', checks: { redis: 'ok', search: 'ok' } }]);
});

test('without its search engine it is degraded: searching is 503, sending and reading go on', async () => {
  const { status, body } = await unindexed.get('/health');
  expect([status, body]).toEqual([200, { status: 'degraded', checks: { redis: 'ok', search: 'down' } }]);
  const ann = fresh('ann');
  const refused = await unindexed.post('/plugins/wk.plugin.search/usersearch', { uid: ann });
  expect([refused.status, refused.body.code]).toEqual([503, 'unavailable']);
  expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0);
  const room = group(fresh('room'));
  await unindexed.store({ ...room, from_uid: ann, payload: base64('hi') });
  expect((await unindexed.log(room)).map(text)).toEqual(['hi']);
});
