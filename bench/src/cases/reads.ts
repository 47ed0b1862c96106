import { channelName } from '@ruyi/contracts';
import { encodeEntry, evenShards, keys, shardOf } from '@ruyi/store';
import { roundsOf } from '../progress.ts';
import type { Line } from '../report.ts';
import type { Scale } from '../scale.ts';
import { quantile, summarize } from '../statistics.ts';
import { payloadOf, type System, startSystem } from '../system.ts';

const shards = evenShards(64);
const READS = 400;

const entry = (id: number, to?: string) =>
  encodeEntry({ id, ts: 1_700_000_000, from: 'u', no: 'n', payload: payloadOf(60) }, to);

async function fillLog(system: System, id: string, count: number): Promise<void> {
  const channel = channelName(2, id);
  const shard = shardOf(channel, shards);
  for (let seq = 1; seq <= count; seq += 2000) {
    const members: (string | number)[] = [];
    for (let i = seq; i < Math.min(seq + 2000, count + 1); i++) members.push(i, entry(i));
    await system.redis.client.zadd(keys.log(shard, channel), ...members);
  }
  await system.redis.client.set(keys.seq(shard, channel), count);
}

async function fillInbox(system: System, uid: string, count: number): Promise<void> {
  const shard = shardOf(uid, shards);
  for (let seq = 1; seq <= count; seq += 2000) {
    const entries = Array.from({ length: Math.min(2000, count + 1 - seq) }, (_, i) => entry(seq + i, 'peer'));
    await system.redis.client.rpush(keys.inbox(shard, uid), ...entries);
  }
  await system.redis.client.set(keys.inboxSeq(shard, uid), count);
}

/** Median latencies in ms of reads of two places. The reads alternate, so that both see the same noise. */
async function compare(large: () => Promise<unknown>, small: () => Promise<unknown>): Promise<[number, number]> {
  const times: [number[], number[]] = [[], []];
  for (let i = 0; i < READS; i++) {
    for (const [side, read] of [large, small].entries()) {
      const start = performance.now();
      await read();
      times[side === 0 ? 0 : 1].push(performance.now() - start);
    }
  }
  return [quantile(times[0], 0.5), quantile(times[1], 0.5)];
}

/** Reads 100 messages in a large log or inbox, compared with a small one. */
export async function reads(scale: Scale): Promise<Line[]> {
  const [largeLog, largeInbox] = scale.tiny ? [10_000, 5000] : [10_000_000, 100_000];
  const system = await startSystem();
  try {
    await fillLog(system, 'large', largeLog);
    await fillLog(system, 'small', 1000);
    await fillInbox(system, 'large', largeInbox);
    await fillInbox(system, 'small', 1000);
    const middle = (count: number) => ({ start_message_seq: Math.floor(count / 2), pull_mode: 1, limit: 100 });
    const readLog = (id: string, count: number) => () =>
      system.post('/channel/messagesync', { channel_id: id, channel_type: 2, ...middle(count) });
    const readInbox = (uid: string, count: number) => () =>
      system.post('/message/sync', { uid, limit: 100, message_seq: Math.floor(count / 2) });
    await compare(readLog('large', largeLog), readLog('small', 1000));
    const lines: Line[] = [];
    const sides = [
      [
        `messagesync of 100 in a log of ${largeLog.toLocaleString('en')}`,
        readLog('large', largeLog),
        readLog('small', 1000),
      ],
      [
        `sync of 100 in an inbox of ${largeInbox.toLocaleString('en')}`,
        readInbox('large', largeInbox),
        readInbox('small', 1000),
      ],
    ] as const;
    for (const [what, large, small] of sides) {
      const rounds: [number, number][] = [];
      for (const _round of roundsOf(what, scale.rounds)) rounds.push(await compare(large, small));
      const value = summarize(rounds.map(([a, b]) => a / b));
      const details = {
        'large p50 ms': summarize(rounds.map(([a]) => a)).median,
        'small p50 ms': summarize(rounds.map(([, b]) => b)).median,
      };
      lines.push({ what, goal: '≤ 1.3 × of 1,000', value, unit: '×', met: value.median <= 1.3, details });
    }
    return lines;
  } finally {
    await system.stop();
  }
}
