import { type BatchProgress, type BroadcastAnswer, NotFoundError, SYSTEM_UID } from '@ruyi/contracts';
import { type BroadcastRecord, isRef, type Store } from '@ruyi/store';

/** What a stored recipient takes in Redis, docs/performance.md; and the uid in a list while it waits. */
const RECIPIENT_BYTES = 121;
const LISTED_BYTES = 16;
/** Recipients a second that an installation on two cores stores, docs/performance.md. */
const RECIPIENTS_A_SECOND = 150_000;
/** A measured rate is older than this if its coordinator is gone. */
const RATE_IS_OLD_SECONDS = 3;

/** A broadcast by its number, or a batch by its batch_no. @throws NotFoundError */
export async function readBroadcast(store: Store, no: string): Promise<BroadcastAnswer> {
  const answer = isRef(no) ? ((await broadcastByNo(store, no)) ?? (await batchByNo(store, no))) : undefined;
  if (!answer) throw unknownBroadcast();
  return answer;
}

/** The record of a broadcast that is no batch. @throws NotFoundError */
export async function recordOf(store: Store, no: string): Promise<BroadcastRecord> {
  const record = isRef(no) ? await store.broadcasts.read(no) : undefined;
  if (!record) throw unknownBroadcast();
  return record;
}

export const unknownBroadcast = () => new NotFoundError('broadcast_no: no such broadcast; see BROADCAST_KEEP_DAYS');

export async function broadcastByNo(store: Store, no: string): Promise<BroadcastAnswer | undefined> {
  const record = await store.broadcasts.read(no);
  if (!record) return undefined;
  const progress = record.ref === undefined ? undefined : await store.progress.read(record.ref);
  return answerOf(record, progress, await store.now());
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
    rate_now: rateNow,
    eta_seconds: isRunning ? Math.ceil((total - cancelled - stored - failed) / (rateNow || speed)) : 0,
    estimate: estimateOf(total, speed),
    created_at: record.createdAt,
    started_at: record.startedAt,
    finished_at: record.finishedAt,
  };
}

const estimateOf = (total: number, speed: number) => ({
  redis_bytes: total * (RECIPIENT_BYTES + LISTED_BYTES),
  seconds: Math.ceil(total / speed),
});

/** A batch as a broadcast of one part; undefined if it is not known (any more). */
export async function batchByNo(store: Store, ref: string): Promise<BroadcastAnswer | undefined> {
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
    rate_now: rateNow,
    eta_seconds: isRunning ? Math.ceil((total - stored - failed) / (rateNow || RECIPIENTS_A_SECOND)) : 0,
    estimate: estimateOf(total, RECIPIENTS_A_SECOND),
    created_at,
    started_at: created_at,
    finished_at,
  };
}

const shownSender = (uid: string): string => (uid === SYSTEM_UID ? '' : uid);
