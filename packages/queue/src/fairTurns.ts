import { loadScript, type RedisClient } from '@ruyi/redis';
import { laneQueue } from './names.ts';

const takeTurnsScript = loadScript(import.meta.url, 'take-turns');
const noteTurnScript = loadScript(import.meta.url, 'note-turn');
/** BullMQ's largest priority. Once a lane reaches it, it is first come, first served, until it has rested for a week. */
const LAST_TURN = 2 ** 21;
const KEEP_MS = 7 * 86_400_000;

const turnsKey = (lane: FanoutLane) => `${laneQueue('fanout', lane.lane, lane.generation).prefix}:turns`;

interface FanoutLane {
  lane: number;
  generation: number;
}

/**
 * Turns on a fanout lane are BullMQ's priorities; the lowest is worked next. A sender's jobs get rising turns that start right
 * behind the turn being worked, so a small batch waits for one job per busy sender instead of for all jobs of whoever sent
 * a million. Each sender's jobs keep their order.
 */
export async function takeTurns(redis: RedisClient, lane: FanoutLane, sender: string, jobs: number): Promise<number[]> {
  const first = Number(await takeTurnsScript(redis, [turnsKey(lane)], [sender, jobs, LAST_TURN, KEEP_MS]));
  return Array.from({ length: jobs }, (_, i) => Math.min(first + i, LAST_TURN));
}

/** Notes the turn that is being worked: new senders start right behind it. */
export async function noteTurn(redis: RedisClient, lane: FanoutLane, turn: number): Promise<void> {
  await noteTurnScript(redis, [turnsKey(lane)], [turn]);
}
