import { loadScript } from '@ruyi/redis';
import type { Redis } from 'ioredis';
import { laneQueue } from './names.ts';

const takeTurnsScript = loadScript(import.meta.url, 'take-turns');
const noteTurnScript = loadScript(import.meta.url, 'note-turn');
/** BullMQ's largest priority number; from there on a lane is first come, first served until it has had a week's rest. */
const LAST_TURN = 2 ** 21;
const KEEP_MS = 7 * 86_400_000;

const turnsKey = (lane: number) => `${laneQueue('fanout', lane).prefix}:turns`;

/**
 * Turns on a fanout lane, which are BullMQ's priorities: the lowest is worked next. Each sender's jobs get rising ones,
 * beginning right behind the turn that is being worked now, so a small batch waits for one job of each sender that is
 * busy, and not for all jobs of the one who sent a million. A sender's own jobs keep their order.
 */
export async function takeTurns(redis: Redis, lane: number, sender: string, jobs: number): Promise<number[]> {
  const first = Number(await takeTurnsScript(redis, [turnsKey(lane)], [sender, jobs, LAST_TURN, KEEP_MS]));
  return Array.from({ length: jobs }, (_, i) => Math.min(first + i, LAST_TURN));
}

/** Notes the turn that is being worked: new senders start right behind it. */
export async function noteTurn(redis: Redis, lane: number, turn: number): Promise<void> {
  await noteTurnScript(redis, [turnsKey(lane)], [turn]);
}
