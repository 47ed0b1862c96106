import { channelName } from '@ruyi/contracts';
import { evenShards, keys, shardOf } from '@ruyi/store';
import { BusyCores } from '../busyCores.ts';
import { roundsOf } from '../progress.ts';
import type { Line } from '../report.ts';
import type { Scale } from '../scale.ts';
import { summarize } from '../statistics.ts';
import { batchBodies, broadcast, type System, startSystem, timed } from '../system.ts';

const BATCH = 10_000;
const COMMANDS_IN_PIPELINE = 10_000;
const shards = evenShards(64);

/** The comparison: the same INCR + ZADD from a client that sends one pipeline of 10,000 commands after the other. */
async function byPipelines(system: System, recipients: number, from: string): Promise<void> {
  for (let first = 0; first < recipients; first += COMMANDS_IN_PIPELINE / 2) {
    const pipeline = system.redis.client.pipeline();
    for (let i = first; i < Math.min(first + COMMANDS_IN_PIPELINE / 2, recipients); i++) {
      const channel = channelName(1, `user_${i}`, from);
      const shard = shardOf(channel, shards);
      pipeline.incr(keys.seq(shard, channel)).zadd(keys.log(shard, channel), 'NX', 1, `107f4dk04qo.${i}`);
    }
    await pipeline.exec();
  }
}

/** Checks that every recipient has exactly one message from each sender, at seq 1. */
async function check(system: System, recipients: number, senders: string[]): Promise<void> {
  for (const from of senders) {
    for (let first = 0; first < recipients; first += 5000) {
      const pipeline = system.redis.client.pipeline();
      const names = Array.from({ length: Math.min(5000, recipients - first) }, (_, i) =>
        channelName(1, `user_${first + i}`, from),
      );
      for (const channel of names) {
        const shard = shardOf(channel, shards);
        pipeline.get(keys.seq(shard, channel)).zrange(keys.log(shard, channel), '0', '-1', 'WITHSCORES');
      }
      const replies = (await pipeline.exec()) ?? [];
      names.forEach((channel, i) => {
        const counter = replies[2 * i]?.[1];
        const log = replies[2 * i + 1]?.[1];
        // Without a counter the last seq is the number of entries in the log.
        if (counter !== null || !Array.isArray(log) || log.length !== 2 || log[1] !== '1') {
          throw new Error(`${channel}: counter ${counter}, log ${JSON.stringify(log)}`);
        }
      });
    }
  }
}

/** Fan-out from HTTP to stored, 10,000 recipients per batch, compared with pipelines. */
export async function fanout(scale: Scale): Promise<Line[]> {
  const batches = scale.tiny ? 1 : 20;
  const recipients = batches * BATCH;
  const system = await startSystem();
  const ratios: number[] = [];
  const ours: number[] = [];
  const theirs: number[] = [];
  const cores = { ours: new BusyCores(), theirs: new BusyCores() };
  try {
    await broadcast(system, batchBodies('warmup', Math.min(2, batches), BATCH));
    await byPipelines(system, BATCH, 'warmup-pipelines');
    const senders = [];
    for (const round of roundsOf('fan-out', scale.rounds)) {
      const from = `s${round}`;
      const bodies = batchBodies(from, batches, BATCH);
      const pipelines =
        recipients /
        (await timed(() => cores.theirs.during(system, () => byPipelines(system, recipients, `p${round}`))));
      const fanned = recipients / (await timed(() => cores.ours.during(system, () => broadcast(system, bodies))));
      senders.push(from);
      theirs.push(pipelines);
      ours.push(fanned);
      ratios.push(fanned / pipelines);
    }
    await check(system, recipients, senders);
  } finally {
    await system.stop();
  }
  const value = summarize(ratios);
  const details = {
    'ours recipients/s': summarize(ours).median,
    'pipelines recipients/s': summarize(theirs).median,
    checked: recipients * scale.rounds,
    ...cores.ours.details(),
    ...cores.theirs.details('busy cores with pipelines'),
  };
  return [{ what: 'fan-out, HTTP to stored', goal: '≥ 1.5 ×', value, unit: '×', met: value.median >= 1.5, details }];
}
