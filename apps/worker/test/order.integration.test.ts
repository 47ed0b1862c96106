import { channelName } from '@ruyi/contracts';
import { seededRandom } from '@ruyi/testkit';
import { expect, test } from 'vitest';
import { acceptBatch, logOf, message, names, testLanes } from './harness.ts';

const lanes = testLanes();

test('a log gets the messages of one sender in the order of their answers', async () => {
  const random = seededRandom(7);
  const channels = Array.from({ length: 24 }, (_, i) =>
    i % 2 === 0 ? channelName(2, `room${i}`) : channelName(1, `u${i}`, 'ann'),
  );
  await lanes.work();
  const sent = new Map<string, number[]>(channels.map((ch) => [ch, []]));
  let id = 0;
  // One sender per channel waits for each answer; all senders run at the same time.
  await Promise.all(
    channels.map(async (ch) => {
      for (let i = random.whole(20, 60); i > 0; i--) {
        const messageId = ++id;
        await lanes.producer.send(message(messageId, { ch }));
        sent.get(ch)?.push(messageId);
      }
    }),
  );
  await lanes.settled();
  for (const [ch, ids] of sent) {
    expect(await logOf(lanes.client, ch)).toEqual({ ids, seqs: ids.map((_, i) => i + 1) });
  }
});

test('the backlog of the indexer is counted in recipients, like that of lanes', async () => {
  await lanes.producer.broadcast(await acceptBatch(lanes.store, names(10_000)));
  await Promise.all(Array.from({ length: 150 }, (_, i) => lanes.producer.send(message(i + 1, { ch: `2:room${i}` }))));
  await lanes.work();
  await lanes.settled();
  expect(await lanes.store.outboxes.recipients()).toBe(10_150);
});
