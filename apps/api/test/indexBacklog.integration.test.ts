import { waitFor } from '@ruyi/testkit';
import { expect, test } from 'vitest';
import { base64, fresh, group, names, startApp, testSystem, unfinishedJobs, upTo } from './harness.ts';

const MOST = 20;
const REBUILD = 'r:{meta}:rebuild';

const system = testSystem(['worker'], { INDEX_BACKLOG: String(MOST) });

test('above INDEX_BACKLOG nothing more waits for the indexer; it finds what it missed by itself', async () => {
  const ann = fresh('ann');
  const room = group(fresh('room'));
  await system.post('/channel', { ...room, subscribers: [ann] });
  let sent = 0;
  const store = async () => {
    await system.store({ ...room, payload: base64({ content: `第${++sent}条消息` }) });
  };
  await system.sendBatch({ subscribers: names(10 * MOST, fresh('u')), payload: base64('all') });
  await waitFor(
    async () => {
      await store();
      return (await system.redis.client.get(REBUILD)) !== null;
    },
    { what: 'a rebuild to be asked for' },
  );
  const waiting = await unfinishedJobs(system.redis, ['index']);
  for (const _ of upTo(10)) await store();
  expect(await unfinishedJobs(system.redis, ['index'])).toBe(waiting);

  const indexer = await startApp('indexer', system.config);
  const found = async () => (await system.search({ uid: ann, payload: { content: '消息' }, limit: 1 })).total;
  await waitFor(async () => (await found()) === sent, { what: `${sent} messages to be found`, deadlineMs: 30_000 });
  await waitFor(async () => (await unfinishedJobs(system.redis, ['index'])) === 0, {
    what: 'nothing to wait any more',
  });
  expect(await indexer.kill('SIGTERM')).toEqual({ code: 0, signal: null });
});
