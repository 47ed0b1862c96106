import { channelName } from '@ruyi/contracts';
import { evenShards, keys, shardOf } from '@ruyi/store';
import { waitFor } from '@ruyi/testkit';
import { GROUP, type World } from './load/world.ts';
import { LANES, SHARDS } from './system/system.ts';
import type { TorturedRedis } from './system/torturedRedis.ts';

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

export function watchProgress(redis: TorturedRedis, world: World): ProgressWatch {
  const client = redis.openWatch();
  const shards = evenShards(SHARDS);
  const seqKeys = (lane: number): string[] =>
    world.groups.flatMap(({ id, lane: own }) =>
      own === lane ? keys.seq(shardOf(channelName(GROUP, id), shards), channelName(GROUP, id)) : [],
    );
  const lanes = Array.from({ length: LANES }, (_, lane) => seqKeys(lane));
  const seqs = new Map<string, number>();
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
  // In a cluster one of them may be away while others answer.
  const read = async (key: string) => {
    const seq = await client.get(key).catch(() => undefined);
    if (seq !== undefined) seqs.set(key, Number(seq));
  };
  const look = async () => {
    await Promise.all(lanes.flat().map(read));
    for (const [lane, own] of lanes.entries()) {
      note(
        lane,
        own.reduce((sum, key) => sum + (seqs.get(key) ?? 0), 0),
      );
    }
  };
  let isLooking: Promise<void> | undefined;
  const timer = setInterval(() => {
    isLooking ??= look().finally(() => {
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
