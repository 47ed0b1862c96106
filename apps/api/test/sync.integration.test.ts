import type { MessageObject } from '@ruyi/contracts';
import { seededRandom } from '@ruyi/testkit';
import { describe, expect, test } from 'vitest';
import { base64, fresh, group, names, testSystem, text, upTo } from './harness.ts';

const system = testSystem(['worker'], { INBOX_KEEP: '10', INBOX_MAX: '250' });

/** Sends commands to a user, each with its number as its text. */
async function command(uid: string, numbers: number[]): Promise<void> {
  for (const n of numbers) {
    await system.send({ header: { sync_once: 1 }, channel_id: uid, channel_type: 1, payload: base64(`${n}`) });
  }
  await system.settled();
}
const acknowledge = async (uid: string, last_message_seq: number) => {
  const answer = await system.post('/message/syncack', { uid, last_message_seq });
  expect([answer.status, answer.body]).toEqual([200, { status: 200 }]);
};
const numbers = (messages: MessageObject[]) => messages.map((message) => Number(text(message)));

describe('sync', () => {
  test('gives the commands that are not acknowledged, ascending and again until they are', async () => {
    const ann = fresh('ann');
    await command(ann, upTo(5));
    for (const _ of upTo(2)) expect(numbers(await system.sync({ uid: ann }))).toEqual(upTo(5));
    await acknowledge(ann, 3);
    expect(numbers(await system.sync({ uid: ann }))).toEqual([4, 5]);
    await acknowledge(ann, 5);
    expect(await system.sync({ uid: ann })).toEqual([]);
    await command(ann, [6]);
    const [next] = await system.sync({ uid: ann });
    expect([next?.message_seq, next && text(next)]).toEqual([6, '6']);
  });

  test('an unknown user has an empty array', async () => {
    expect(await system.sync({ uid: fresh('nobody') })).toEqual([]);
  });

  test('gives 200 at once unless told otherwise, and never more than limit', async () => {
    const ann = fresh('ann');
    await command(ann, upTo(210));
    expect(numbers(await system.sync({ uid: ann }))).toEqual(upTo(200));
    expect(numbers(await system.sync({ uid: ann, limit: 0 }))).toEqual(upTo(200));
    expect(numbers(await system.sync({ uid: ann, limit: 7 }))).toEqual(upTo(7));
    expect(numbers(await system.sync({ uid: ann, limit: 1_000_000 }))).toEqual(upTo(210));
  });

  test('after a seq above the cursor reads on from there without acknowledging', async () => {
    const ann = fresh('ann');
    await command(ann, upTo(8));
    await acknowledge(ann, 2);
    expect(numbers(await system.sync({ uid: ann, message_seq: 6 }))).toEqual([7, 8]);
    expect(numbers(await system.sync({ uid: ann, message_seq: 8 }))).toEqual([]);
    expect(numbers(await system.sync({ uid: ann }))).toEqual([3, 4, 5, 6, 7, 8]);
  });

  test('after a seq larger than the newest reads from the cursor', async () => {
    const ann = fresh('ann');
    await command(ann, upTo(4));
    await acknowledge(ann, 1);
    for (const message_seq of [5, 1000, 2 ** 32 - 1]) {
      expect(numbers(await system.sync({ uid: ann, message_seq }))).toEqual([2, 3, 4]);
    }
  });

  test('after a seq below the cursor reads back as far as INBOX_KEEP acknowledged commands', async () => {
    const ann = fresh('ann');
    await command(ann, upTo(30));
    await acknowledge(ann, 25);
    expect(numbers(await system.sync({ uid: ann, message_seq: 20 }))).toEqual(upTo(30).slice(20));
    expect(numbers(await system.sync({ uid: ann, message_seq: 1 }))).toEqual(upTo(30).slice(15));
    expect(numbers(await system.sync({ uid: ann }))).toEqual(upTo(30).slice(25));
  });
});

describe('syncack', () => {
  test('never moves the cursor back, and 0 changes nothing', async () => {
    const ann = fresh('ann');
    await command(ann, upTo(5));
    await acknowledge(ann, 4);
    for (const seq of [0, 1, 3]) await acknowledge(ann, seq);
    expect(numbers(await system.sync({ uid: ann }))).toEqual([5]);
  });

  test('never moves it past the newest command', async () => {
    const ann = fresh('ann');
    await acknowledge(ann, 100);
    await command(ann, upTo(3));
    expect(numbers(await system.sync({ uid: ann }))).toEqual(upTo(3));
    await acknowledge(ann, 2 ** 32 - 1);
    await command(ann, [4, 5]);
    expect(numbers(await system.sync({ uid: ann }))).toEqual([4, 5]);
  });

  test('of one user leaves the commands of another one alone', async () => {
    const channel = group(fresh('room'));
    const [ann = '', ben = ''] = names(2, fresh('u'));
    await system.post('/channel/subscriber_add', { ...channel, subscribers: [ann, ben] });
    for (const n of upTo(3)) await system.send({ header: { sync_once: 1 }, ...channel, payload: base64(`${n}`) });
    await system.settled();
    await acknowledge(ann, 3);
    expect(await system.sync({ uid: ann })).toEqual([]);
    expect(numbers(await system.sync({ uid: ben }))).toEqual(upTo(3));
  });
});

test('sync, syncack, sync while commands arrive: none comes twice, none is lost', async () => {
  const ann = fresh('ann');
  const random = seededRandom();
  const total = 150;
  const sending = (async () => {
    for (let n = 1; n <= total; ) {
      const burst = Math.min(random.whole(1, 12), total - n + 1);
      const header = { sync_once: 1 };
      for (let i = 0; i < burst; i++, n++) {
        await system.send({ header, channel_id: ann, channel_type: 1, payload: base64(`${n}`) });
      }
    }
  })();
  const seen: number[] = [];
  while (seen.length < total) {
    const page = await system.sync({ uid: ann, limit: random.whole(1, 20) });
    seen.push(...numbers(page));
    await acknowledge(ann, page.at(-1)?.message_seq ?? 0);
  }
  await sending;
  expect(seen).toEqual(upTo(total));
  expect(await system.sync({ uid: ann })).toEqual([]);
});

test('a second device gets every command once, by its own seq, while the first one acknowledges', async () => {
  const ann = fresh('ann');
  const seen: { first: number[]; second: number[] } = { first: [], second: [] };
  let at = 0;
  const second = async () => {
    for (;;) {
      // With 0 it would be given the first device's place; its very first read is from there.
      const page = await system.sync({ uid: ann, message_seq: at, limit: 3 });
      if (page.length === 0) return;
      seen.second.push(...numbers(page));
      at = page.at(-1)?.message_seq ?? 0;
    }
  };
  for (let round = 0; round < 8; round++) {
    await command(
      ann,
      upTo(5).map((n) => round * 5 + n),
    );
    if (round === 0) await second();
    for (;;) {
      const page = await system.sync({ uid: ann, limit: 2 });
      if (page.length === 0) break;
      seen.first.push(...numbers(page));
      await acknowledge(ann, page.at(-1)?.message_seq ?? 0);
    }
    if (round > 0) await second();
  }
  expect(seen).toEqual({ first: upTo(40), second: upTo(40) });
});

test('at INBOX_MAX the oldest commands are dropped, and the seqs of the others stay', async () => {
  const ann = fresh('ann');
  await command(ann, upTo(265));
  const kept = await system.inbox(ann);
  expect(numbers(kept)).toEqual(upTo(265).slice(15));
  expect(kept[0]?.message_seq).toBe(16);
});
