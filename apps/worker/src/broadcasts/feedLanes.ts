import { setTimeout as delay } from 'node:timers/promises';
import { eachLimited } from '@ruyi/flow';
import { type BroadcastRecord, laneOf } from '@ruyi/store';
import type { CoordinatorContext } from './coordinatorContext.ts';
import { Flight } from './flight.ts';
import { RateMeter } from './rateMeter.ts';
import { ShardCursors } from './shardCursors.ts';

/** Jobs that a lane has of one broadcast: what it works, and what it works next. So a pause takes effect within one job. */
const JOBS_AHEAD = 2;
const SHORTEST_PAUSE_MS = 10;
const LONGEST_PAUSE_MS = 250;

/**
 * Feeds the recipients of a broadcast to the lanes, never more than two jobs a lane, until all are stored, or until it is
 * paused or cancelled and the last job has ended. Recipients are claimed before their job is added: so a coordinator that
 * takes over adds the jobs that are missing, with the same ids.
 */
export async function feedLanes(
  context: CoordinatorContext,
  record: BroadcastRecord,
  ref: string,
  token: string,
  signal: AbortSignal,
): Promise<void> {
  const { no, spec } = record;
  const flight = await Flight.of(context, record, ref, signal);
  const cursors = record.isReady ? await ShardCursors.of(context.store, record) : undefined;
  const meter = new RateMeter(context.store, no);
  let isFeeding = record.state === 'running' && !record.isRetrying;
  let pauseMs = SHORTEST_PAUSE_MS;
  while (!signal.aborted) {
    const landed = await flight.land();
    await meter.add(landed);
    let waitMs = 0;
    let fed = 0;
    if (isFeeding && cursors && !context.isMemoryFull()) {
      const { lanes } = context.queues;
      const free = Array.from({ length: lanes }, (_, lane) => lane).filter((lane) => flight.onLane(lane) < JOBS_AHEAD);
      // With a rate one claim decides when the next one may come.
      await eachLimited(free, spec.rate > 0 ? 1 : free.length, async (lane) => {
        if (!isFeeding || waitMs > 0) return;
        const claims = await cursors.next((shard) => laneOf(shard, lanes) === lane);
        if (claims.length === 0) return;
        const outcome = await flight.take(token, claims, spec.rate);
        if (outcome === 'again') isFeeding = false;
        else if (outcome > 0) waitMs = outcome;
        else {
          fed++;
          cursors.advance(claims);
        }
      });
    }
    if (flight.size === 0 && fed === 0 && (!isFeeding || !cursors || cursors.isDone)) return;
    pauseMs = landed + fed > 0 ? SHORTEST_PAUSE_MS : Math.min(LONGEST_PAUSE_MS, pauseMs * 1.5);
    await pause(waitMs > 0 ? Math.min(waitMs, pauseMs) : pauseMs, signal);
  }
}

/** Ends early when the process stops. */
const pause = (ms: number, signal: AbortSignal) => delay(ms, undefined, { signal }).catch(() => {});
