import { readFileSync } from 'node:fs';
import type { Redis } from 'ioredis';
import { laneQueue } from './names.ts';

const TAKE = readFileSync(new URL('./take-turns.lua', import.meta.url), 'utf8');
const NOTE = `
  if tonumber(ARGV[1]) > tonumber(redis.call('HGET', KEYS[1], 'now') or 0) then
    redis.call('HSET', KEYS[1], 'now', ARGV[1])
  end`;
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
  const first = Number(await redis.eval(TAKE, 1, turnsKey(lane), sender, jobs, LAST_TURN, KEEP_MS));
  return Array.from({ length: jobs }, (_, i) => Math.min(first + i, LAST_TURN));
}

/** The lane is at this turn: whoever comes new begins behind it. A job that is started again does not turn it back. */
export async function noteTurn(redis: Redis, lane: number, turn: number): Promise<void> {
  await redis.eval(NOTE, 1, turnsKey(lane), turn);
}
