import { channelName } from '@ruyi/contracts';
import { evenShards, keys, shardOf } from '@ruyi/store';
import { waitFor } from '@ruyi/testkit';
import { Redis } from 'ioredis';
import { GROUP, type World } from './load/world.ts';
import { LANES, SHARDS } from './system/system.ts';

const LOOK_EVERY_MS = 50;
const RECOVERY_DEADLINE_MS = 120_000;

/** Watches in Redis whether every lane stores messages. */
export interface ProgressWatch {
  /** The longest time in ms, since the last call, in which some lane stored no message. */
  longestStall(): number;
  /** Waits until every lane has stored another message. @returns ms @throws Error if a lane does not */
  recovered(): Promise<number>;
  stop(): Promise<void>;
}

export function watchProgress(port: number, world: World): ProgressWatch {
  const client = new Redis({
    port,
    host: '127.0.0.1',
    commandTimeout: 500,
    maxRetriesPerRequest: 0,
    retryStrategy: () => 100,
  });
  client.on('error', () => {});
  const lanes = Array.from({ length: LANES }, (_, lane) =>
    world.groups.filter((group) => group.lane === lane).map(({ id }) => channelName(GROUP, id)),
  );
  const logs = lanes.flat();
  const shards = evenShards(SHARDS);
  const seqKeys = logs.map((channel) => keys.seq(shardOf(channel, shards), channel));
  const stored: number[] = lanes.map(() => 0);
  const movedAt = lanes.map(() => performance.now());
  let longest = 0;

  const note = (lane: number, sum: number) => {
    const now = performance.now();
    longest = Math.max(longest, now - (movedAt[lane] ?? now));
    if (sum === stored[lane]) return;
    stored[lane] = sum;
    movedAt[lane] = now;
  };
  const look = async () => {
    const seqs = await client.mget(...seqKeys);
    let at = 0;
    for (const [lane, channels] of lanes.entries()) {
      const sum = channels.reduce((total) => total + Number(seqs[at++] ?? 0), 0);
      note(lane, sum);
    }
  };
  let isLooking: Promise<void> | undefined;
  const timer = setInterval(() => {
    isLooking ??= look()
      .catch(() => {})
      .finally(() => {
        isLooking = undefined;
      });
  }, LOOK_EVERY_MS);
  return {
    longestStall() {
      const now = performance.now();
      const open = Math.max(...movedAt.map((at) => now - at));
      const answer = Math.max(longest, open);
      longest = 0;
      return answer;
    },
    async recovered() {
      const from = performance.now();
      await waitFor(() => movedAt.every((at) => at > from), {
        what: 'every lane to store messages again',
        deadlineMs: RECOVERY_DEADLINE_MS,
      });
      return Math.max(...movedAt) - from;
    },
    async stop() {
      clearInterval(timer);
      await isLooking;
      client.disconnect();
    },
  };
}
