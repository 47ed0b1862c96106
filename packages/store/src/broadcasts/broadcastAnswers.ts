import { type BatchProgress, type BroadcastAnswer, SYSTEM_UID } from '@ruyi/contracts';
import { type RedisClient, serverClock } from '@ruyi/redis';
import { isDamage } from '../damage.ts';
import { BroadcastList } from './broadcastList.ts';
import type { BroadcastRecord } from './broadcastRecord.ts';
import { Broadcasts } from './broadcasts.ts';
import { Progress } from './progress.ts';

/** What a stored recipient takes in Redis, docs/performance.md; and the uid in a list while it waits. */
const RECIPIENT_BYTES = 121;
const LISTED_BYTES = 16;
/** Recipients a second that an installation on two cores stores, docs/performance.md. */
const RECIPIENTS_A_SECOND = 150_000;
/** A measured rate is older than this if its coordinator is gone. */
const RATE_IS_OLD_SECONDS = 3;
/** The newest broadcasts and batches among which running ones are looked for. */
const LOOKED_AT = 100;

/** The part of a store that broadcasts are read from. */
interface BroadcastSources {
  broadcasts: Broadcasts;
  progress: Progress;
  /** seconds by Redis' clock */
  now(): number | Promise<number>;
}

/** A broadcast of POST /broadcasts as the API shows it; undefined if it is not known (any more). */
export async function broadcastByNo(store: BroadcastSources, no: string): Promise<BroadcastAnswer | undefined> {
  const record = await store.broadcasts.read(no);
  if (!record) return undefined;
  const progress = record.ref === undefined ? undefined : await store.progress.read(record.ref);
  return answerOf(record, progress, await store.now());
}

/** A batch as a broadcast of one part; undefined if it is not known (any more). */
export async function batchByNo(store: BroadcastSources, ref: string): Promise<BroadcastAnswer | undefined> {
  const [progress, receipt] = await Promise.all([store.progress.read(ref), store.progress.receipt(ref)]);
  if (!progress || !receipt) return undefined;
  const { total, stored, failed, indexed, created_at, finished_at } = progress;
  const isRunning = progress.state === 'queued' || progress.state === 'running';
  const seconds = Math.max(1, (await store.now()) - created_at);
  const rateNow = isRunning ? Math.round((stored + failed) / seconds) : 0;
  return {
    broadcast_no: ref,
    name: '',
    from_uid: shownSender(receipt.from ?? SYSTEM_UID),
    state: progress.state === 'queued' || progress.state === 'running' ? 'running' : progress.state,
    accepted: total,
    duplicates: 0,
    invalid: receipt.invalid ?? 0,
    total,
    stored,
    failed,
    cancelled: 0,
    indexed,
    rate: 0,
    rate_now: rateNow,
    eta_seconds: isRunning ? Math.ceil((total - stored - failed) / (rateNow || RECIPIENTS_A_SECOND)) : 0,
    estimate: estimateOf(total, RECIPIENTS_A_SECOND),
    created_at,
    start_at: 0,
    started_at: created_at,
    finished_at,
  };
}

/**
 * The broadcasts and large batches that run, newest first, at most 100. Batches are looked for among the newest 100 of all:
 * one that has 100 newer ones is not found. A damaged one is left out.
 */
export async function runningBroadcasts(redis: RedisClient): Promise<BroadcastAnswer[]> {
  const list = new BroadcastList(redis);
  // A bound of what is written: here nothing is.
  const sources = {
    broadcasts: new Broadcasts(redis),
    progress: new Progress(redis, 0),
    now: () => serverClock(redis),
  };
  const [states, newest] = await Promise.all([list.states(), list.page('', LOOKED_AT)]);
  const running = [...states].filter(([, state]) => state === 'running').map(([no]) => no);
  const batches = newest.filter(({ isBatch }) => isBatch).map(({ no }) => no);
  const answers = await Promise.all([
    ...running.slice(0, LOOKED_AT).map((no) => broadcastByNo(sources, no).catch(unlessDamaged)),
    ...batches.map((no) => batchByNo(sources, no).catch(unlessDamaged)),
  ]);
  return answers
    .filter((answer) => answer !== undefined)
    .filter(({ state }) => state === 'running')
    .sort((a, b) => b.created_at - a.created_at)
    .slice(0, LOOKED_AT);
}

function unlessDamaged(error: unknown): undefined {
  if (!isDamage(error)) throw error;
}

function answerOf(record: BroadcastRecord, progress: BatchProgress | undefined, now: number): BroadcastAnswer {
  const { spec, accepted, duplicates, cancelled } = record;
  const total = record.total ?? accepted - duplicates;
  const { stored = 0, failed = 0, indexed = 0 } = progress ?? {};
  const hasFailed = total > 0 && failed === total;
  const isEnd = record.state === 'done' || record.state === 'failed';
  const isRunning = record.state === 'running';
  const rateNow = isRunning && now - record.measuredAt <= RATE_IS_OLD_SECONDS ? record.rateNow : 0;
  const speed = spec.rate > 0 ? Math.min(spec.rate, RECIPIENTS_A_SECOND) : RECIPIENTS_A_SECOND;
  return {
    broadcast_no: record.no,
    name: spec.name,
    from_uid: shownSender(spec.from),
    state: isEnd ? (hasFailed ? 'failed' : 'done') : record.state,
    accepted,
    duplicates,
    invalid: record.invalid,
    total,
    stored,
    failed,
    cancelled,
    indexed,
    rate: spec.rate,
    rate_now: rateNow,
    eta_seconds: isRunning ? Math.ceil((total - cancelled - stored - failed) / (rateNow || speed)) : 0,
    estimate: estimateOf(total, speed),
    created_at: record.createdAt,
    start_at: record.startAt,
    started_at: record.startedAt,
    finished_at: record.finishedAt,
  };
}

const estimateOf = (total: number, speed: number) => ({
  redis_bytes: total * (RECIPIENT_BYTES + LISTED_BYTES),
  seconds: Math.ceil(total / speed),
});

const shownSender = (uid: string): string => (uid === SYSTEM_UID ? '' : uid);
