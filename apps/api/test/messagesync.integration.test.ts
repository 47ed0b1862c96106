import type { MessageObject } from '@ruyi/contracts';
import { seededRandom, waitFor } from '@ruyi/testkit';
import { beforeAll, describe, expect, test } from 'vitest';
import { base64, fresh, group, personal, testSystem, text, upTo } from './harness.ts';

const system = testSystem(['worker']);
const COUNT = 300;
const room = fresh('room');

/** Sends messages whose text is the seq that they get. */
async function fill(channel: object, count: number, message: (n: number) => object = () => ({})): Promise<void> {
  for (const n of upTo(count)) await system.send({ ...channel, payload: base64(`${n}`), ...message(n) });
  await system.settled();
}
const seqs = (messages: MessageObject[]) => messages.map(({ message_seq }) => message_seq);
const range = (first: number, last: number) => upTo(last - first + 1).map((n) => n + first - 1);

interface Range {
  start_message_seq?: number;
  end_message_seq?: number;
  limit?: number;
  pull_mode?: 0 | 1;
}

describe('a log of 300 messages', () => {
  beforeAll(() => fill(group(room), COUNT));

  const up = 1;
  const down = 0;
  test.each([
    [100, 200, 10, up, range(100, 109), 1],
    [100, 105, 10, up, range(100, 104), 0],
    [100, 50, 10, down, range(91, 100), 1],
    [100, 95, 10, down, range(96, 100), 0],
    [0, 0, 10, up, range(291, 300), 1],
    [0, 0, 10, down, range(291, 300), 1],
    [0, 0, 0, up, range(201, 300), 1],
    [0, 0, 0, down, range(201, 300), 1],
    [0, 0, 299, up, range(2, 300), 1],
    [0, 0, 300, up, range(1, 300), 0],
    [0, 0, 300, down, range(1, 300), 0],
    [0, 0, 1_000_000, down, range(1, 300), 0],
    [1, 0, 10, up, range(1, 10), 1],
    [0, 5, 10, up, range(1, 4), 0],
    [0, 295, 10, down, range(296, 300), 0],
    [0, 295, 5, down, range(296, 300), 0],
    [0, 295, 4, down, range(297, 300), 1],
    [291, 0, 10, up, range(291, 300), 0],
    [290, 0, 10, up, range(290, 299), 1],
    [290, 300, 10, up, range(290, 299), 0],
    [10, 0, 10, down, range(1, 10), 0],
    [11, 0, 10, down, range(2, 11), 1],
    [11, 1, 10, down, range(2, 11), 0],
    [1, 0, 10, down, [1], 0],
    [300, 300, 10, up, [], 0],
    [100, 50, 10, up, [], 0],
    [50, 100, 10, down, [], 0],
    [301, 0, 10, up, [], 0],
    [2 ** 32 - 1, 0, 10, down, range(291, 300), 1],
    [2 ** 32 - 1, 2 ** 32 - 1, 10, down, [], 0],
  ] as const)('start=%d end=%d limit=%d pull_mode=%d', async (start, end, limit, pull_mode, expected, more) => {
    const answer = await system.messageSync({
      ...group(room),
      start_message_seq: start,
      end_message_seq: end,
      limit,
      pull_mode,
    });
    expect({ ...answer, messages: seqs(answer.messages) }).toEqual({
      start_message_seq: start,
      end_message_seq: end,
      more,
      messages: expected,
    });
    expect(answer.messages.map(text)).toEqual(expected.map(String));
  });

  test('any range is what the table of the contract says', async () => {
    const random = seededRandom();
    const bound = () => random.pick([0, random.whole(1, COUNT + 20), random.whole(1, COUNT)]);
    for (const _ of upTo(200)) {
      const [start, end, limit] = [bound(), bound(), random.whole(1, 350)];
      const pull_mode = random.pick([0, 1]);
      const upwards = pull_mode === 1 && (start > 0 || end > 0);
      const within = range(1, COUNT).filter((seq) =>
        upwards ? seq >= start && (end === 0 || seq < end) : (start === 0 || seq <= start) && (end === 0 || seq > end),
      );
      const expected = upwards ? within.slice(0, limit) : within.slice(-limit);
      const request = { start_message_seq: start, end_message_seq: end, limit, pull_mode };
      const { messages, more } = await system.messageSync({ ...group(room), ...request });
      expect({ request, more, messages: seqs(messages) }).toEqual({
        request,
        more: within.length > limit ? 1 : 0,
        messages: expected,
      });
    }
  });

  test.each([up, down])('pages in pull mode %d show every message once', async (pull_mode) => {
    const seen: number[] = [];
    let at = pull_mode === up ? 1 : COUNT;
    for (let more = 1; more === 1; ) {
      const page = await system.messageSync({ ...group(room), start_message_seq: at, limit: 77, pull_mode });
      const shown = seqs(page.messages);
      if (pull_mode === up) seen.push(...shown);
      else seen.unshift(...shown);
      at = pull_mode === up ? (shown.at(-1) ?? 0) + 1 : (shown[0] ?? 0) - 1;
      more = page.more;
    }
    expect(seen).toEqual(range(1, COUNT));
  });

  test('a personal log has the same pages for both users', async () => {
    const [ann, ben] = [fresh('ann'), fresh('ben')];
    await fill({ from_uid: ann, channel_id: ben, channel_type: 1 }, 12);
    const request: Range = { start_message_seq: 8, limit: 5, pull_mode: 0 };
    for (const channel of [personal(ann, ben), personal(ben, ann)]) {
      const { messages, more } = await system.messageSync({ ...channel, ...request });
      expect([seqs(messages), more]).toEqual([range(4, 8), 1]);
    }
  });
});

test('an unknown channel is an empty log', async () => {
  const request: Range = { start_message_seq: 5, end_message_seq: 9, pull_mode: 1 };
  expect(await system.messageSync({ ...group(fresh('room')), ...request })).toEqual({
    start_message_seq: 5,
    end_message_seq: 9,
    more: 0,
    messages: [],
  });
});

test('expired messages are left out before limit and more apply, and still counted by max_message_seq', async () => {
  const channel = group(fresh('room'));
  // Every message but 3, 6, 9 … expires.
  await fill(channel, 30, (n) => (n % 3 === 0 ? {} : { expire: 1 }));
  await waitFor(async () => (await system.log(channel)).length === 10, { what: 'the messages to expire' });
  const first = await system.messageSync({ ...channel, start_message_seq: 1, limit: 4, pull_mode: 1 });
  expect([seqs(first.messages), first.more]).toEqual([[3, 6, 9, 12], 1]);
  const rest = await system.messageSync({ ...channel, start_message_seq: 13, end_message_seq: 30, pull_mode: 1 });
  expect([seqs(rest.messages), rest.more]).toEqual([[15, 18, 21, 24, 27], 0]);
  const newest = await system.messageSync({ ...channel, start_message_seq: 5, limit: 1 });
  expect([seqs(newest.messages), newest.more]).toEqual([[3], 0]);
  const last = await system.messageSync({ ...channel, limit: 2 });
  expect([seqs(last.messages), last.more]).toEqual([[27, 30], 1]);
  const query = { channel_id: channel.channel_id, channel_type: '2' };
  expect((await system.get('/channel/max_message_seq', query)).body).toEqual({ message_seq: 30 });
});

test('an answer ends early after 16 MiB of payload, and says that there is more', async () => {
  const channel = group(fresh('room'));
  const payload = Buffer.alloc(256 * 1024, 'x').toString('base64');
  const count = 70;
  await fill(channel, count, () => ({ payload }));
  const seen: number[] = [];
  let pages = 0;
  for (let more = 1; more === 1; pages++) {
    const start_message_seq = (seen.at(-1) ?? 0) + 1;
    const page = await system.messageSync({ ...channel, start_message_seq, limit: 10_000, pull_mode: 1 });
    expect(page.messages.reduce((sum, message) => sum + message.payload.length, 0)).toBeLessThan(
      (17 * 1024 * 1024 * 4) / 3,
    );
    expect(page.messages.length).toBeGreaterThan(0);
    seen.push(...seqs(page.messages));
    more = page.more;
  }
  expect(seen).toEqual(upTo(count));
  expect(pages).toBeGreaterThan(1);
});

describe('with LOG_RETENTION', () => {
  const trimming = testSystem(['worker'], { LOG_RETENTION: '20' });

  test('the newest messages are kept, seqs go on, and what is trimmed is no reason for more', async () => {
    const channel = group(fresh('room'));
    for (const n of upTo(50)) await trimming.send({ ...channel, payload: base64(`${n}`) });
    await waitFor(async () => (await trimming.log(channel)).length === 20, { what: 'the log to be trimmed' });
    await trimming.settled();
    const { messages, more } = await trimming.messageSync({ ...channel, limit: 20 });
    expect([seqs(messages), more]).toEqual([range(31, 50), 0]);
    const up = await trimming.messageSync({ ...channel, start_message_seq: 1, limit: 5, pull_mode: 1 });
    expect([seqs(up.messages), up.more]).toEqual([range(31, 35), 1]);
  });
});
