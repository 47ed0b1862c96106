import type { BroadcastState } from '@ruyi/contracts';
import { loadScript, type RedisClient } from '@ruyi/redis';
import { readable } from '../damage.ts';
import { parseJson } from '../entries.ts';
import { keys } from '../keys.ts';
import {
  type BroadcastRecord,
  type BroadcastSpec,
  type Claim,
  claimsOf,
  cursorOf,
  RECORD_FIELDS,
  recordOf,
  stateOf,
} from './broadcastRecord.ts';

const createBroadcast = loadScript(import.meta.url, 'create-broadcast');
const changeBroadcast = loadScript(import.meta.url, 'change-broadcast');
const takeBroadcast = loadScript(import.meta.url, 'take-broadcast');
const setUpBroadcast = loadScript(import.meta.url, 'set-up-broadcast');
const claimRecipients = loadScript(import.meta.url, 'claim-recipients');
const finishBroadcast = loadScript(import.meta.url, 'finish-broadcast');

/** A broadcast counts as abandoned if it is not listed within this time. */
const UNLISTED_SECONDS = 3600;
/** How the fields of `flight` begin whose jobs try failed recipients again. */
const RETRIED = 'retried ';

export type BroadcastAction = 'start' | 'pause' | 'resume' | 'cancel' | 'retry';

/** What an action found and left. */
export interface BroadcastChange {
  before: BroadcastState;
  /** `empty`: nothing was uploaded, so nothing was started */
  after: BroadcastState | 'empty';
  run: number;
  needsCoordinator: boolean;
}

/**
 * Broadcasts as they are kept. A broadcast is in one of these states:
 *
 * - open: parts are uploaded. `start` ends this: no part is committed afterwards.
 * - scheduled: its coordinator waits until `start_at`, which `start` may change.
 * - running: its coordinator finds the duplicates, numbers the recipients, then claims them job by job. What is claimed is
 *   stored, or fails. When everything is claimed and every job has ended, it is done, or failed if all failed.
 * - paused: nothing is claimed. `resume` leads back.
 * - cancelled: nothing is claimed any more; what is not claimed counts as cancelled from this moment on. It has ended when
 *   the last job has.
 * - done, failed, cancelled and ended: `retry` makes it running again, until the failed ones were tried once more.
 *
 * One process coordinates: the last one that took the broadcast. Scripts refuse the steps of earlier ones, so a coordinator
 * that was frozen changes nothing; a job that it adds late has an id that exists, or chunks that are stored.
 */
export class Broadcasts {
  readonly #redis: RedisClient;

  constructor(redis: RedisClient) {
    this.#redis = redis;
  }

  /** Keeps a new broadcast for an hour; once it is listed it stays. */
  async create(no: string, spec: BroadcastSpec, payload: string): Promise<void> {
    const { startAt, audience } = spec;
    const fields: (string | number)[] = ['spec', JSON.stringify(spec), 'payload', payload, 'state', 'open', 'run', 0];
    fields.push('start_at', startAt, ...(audience ? ['audience', 1] : []));
    await createBroadcast(this.#redis, [keys.about(no)], [UNLISTED_SECONDS, ...fields]);
  }

  async persist(no: string): Promise<void> {
    await this.#redis.persist(keys.about(no));
  }

  /** undefined if no such broadcast is known (any more). */
  async read(no: string): Promise<BroadcastRecord | undefined> {
    return readable(`broadcast ${no}`, async () => {
      const values = await this.#redis.hmget(keys.about(no), ...RECORD_FIELDS);
      return values[0] == null ? undefined : recordOf(no, values);
    });
  }

  async payload(no: string): Promise<string> {
    return (await this.#redis.hget(keys.about(no), 'payload')) ?? '';
  }

  /**
   * @param startAt of a start: when it begins instead, also if it is scheduled already; 0 at once
   * @returns undefined if no such broadcast is known
   */
  async change(no: string, action: BroadcastAction, startAt?: number): Promise<BroadcastChange | undefined> {
    const args = [action, startAt ?? ''];
    const reply = await readable(`broadcast ${no}`, () => changeBroadcast(this.#redis, [keys.about(no)], args));
    if (!Array.isArray(reply)) return undefined;
    const [before, after, run, needed] = reply;
    return {
      before: stateOf(before),
      after: after === 'empty' ? 'empty' : stateOf(after),
      run: Number(run),
      needsCoordinator: Number(needed) === 1,
    };
  }

  /** Makes the caller the coordinator. @returns whether there is something to do, or how long it must wait, in seconds */
  async take(no: string, run: number, token: string): Promise<{ hasWork: boolean; waitSeconds: number }> {
    const reply = Number(await takeBroadcast(this.#redis, [keys.about(no)], [run, token]));
    return { hasWork: reply === 1, waitSeconds: Math.max(0, -reply) };
  }

  /** Keeps what the coordinator found out. @returns false if it must stop */
  async setUp(no: string, token: string, fields: Record<string, string | number> = {}): Promise<boolean> {
    const args = [token, ...Object.entries(fields).flat()];
    return Number(await setUpBroadcast(this.#redis, [keys.about(no)], args)) === 1;
  }

  async setCounts(no: string, counts: ReadonlyMap<number, number>): Promise<void> {
    if (counts.size > 0) await this.#redis.hset(keys.counts(no), new Map([...counts].map(([s, n]) => [String(s), n])));
  }

  async counts(no: string): Promise<Map<number, number>> {
    const fields = await this.#redis.hgetall(keys.counts(no));
    return new Map(Object.entries(fields).map(([shard, count]) => [Number(shard), Number(count)]));
  }

  /** How far each shard was handed out: recipients and bytes. */
  async cursors(no: string): Promise<Map<number, { index: number; offset: number }>> {
    const fields = await this.#redis.hgetall(keys.cursors(no));
    return new Map(Object.entries(fields).map(([shard, cursor]) => [Number(shard), cursorOf(cursor)]));
  }

  /**
   * Claims the next recipients of some shards for a job: all of them or none.
   * @param next index: of the first of them in its shard
   * @returns milliseconds to wait if that is too early by its rate; -1 if the coordinator must look again
   */
  async claim(
    no: string,
    token: string,
    jobId: string,
    next: (Claim & { index: number })[],
    rate: number,
  ): Promise<number> {
    const claims = next.map(({ index: _, ...claim }) => claim);
    const total = next.reduce((sum, { count }) => sum + count, 0);
    const cursors = next.flatMap(({ shard, index, count, offset, length }) => [
      shard,
      `${index}:${offset}`,
      `${index + count}:${offset + length}`,
    ]);
    const args = [token, jobId, JSON.stringify(claims), total, rate, ...cursors];
    return Number(await claimRecipients(this.#redis, [keys.about(no), keys.flight(no), keys.cursors(no)], args));
  }

  /** What jobs have, by their id. */
  async flight(no: string): Promise<Map<string, Claim[]>> {
    const fields = Object.entries(await this.#redis.hgetall(keys.flight(no)));
    return new Map(fields.filter(([id]) => !id.startsWith(RETRIED)).map(([id, text]) => [id, claimsOf(text)]));
  }

  /** Keeps a job that tries failed recipients again, until it has ended. @returns false if it is known already */
  async addRetried(no: string, jobId: string, job: object): Promise<boolean> {
    return (await this.#redis.hsetnx(keys.flight(no), `${RETRIED}${jobId}`, JSON.stringify(job))) === 1;
  }

  /** The same, with something new about it. */
  async noteRetried(no: string, jobId: string, job: object): Promise<void> {
    await this.#redis.hset(keys.flight(no), `${RETRIED}${jobId}`, JSON.stringify(job));
  }

  /** The jobs that try failed recipients again, by their id. */
  async retried(no: string): Promise<Map<string, unknown>> {
    const fields = Object.entries(await this.#redis.hgetall(keys.flight(no)));
    const ofRetries = fields.filter(([id]) => id.startsWith(RETRIED));
    return new Map(ofRetries.map(([id, text]) => [id.slice(RETRIED.length), parseJson(text)]));
  }

  async retriedLanded(no: string, jobId: string): Promise<void> {
    await this.#redis.hdel(keys.flight(no), `${RETRIED}${jobId}`);
  }

  /** These jobs have ended. */
  async landed(no: string, jobIds: string[]): Promise<void> {
    if (jobIds.length > 0) await this.#redis.hdel(keys.flight(no), ...jobIds);
  }

  async noteRate(no: string, rate: number, seconds: number): Promise<void> {
    await this.#redis.hset(keys.about(no), 'rate_now', rate, 'measured', seconds);
  }

  /**
   * Ends it if nothing is left to do.
   * @param handled recipients that were stored or failed
   * @returns the final state, undefined if it has not ended here
   */
  async finish(
    no: string,
    token: string,
    { handled, allFailed }: { handled: number; allFailed: boolean },
  ): Promise<BroadcastState | undefined> {
    const args = [token, allFailed ? 1 : 0, handled];
    const reply = await finishBroadcast(this.#redis, [keys.about(no), keys.flight(no)], args);
    return reply === '' ? undefined : stateOf(reply);
  }

  /** Removes what is needed only until it has ended. */
  async removeWork(no: string): Promise<void> {
    await this.#redis.del(keys.parts(no), keys.merging(no), keys.counts(no), keys.cursors(no));
  }

  async remove(no: string): Promise<void> {
    await this.removeWork(no);
    await this.#redis.del(keys.about(no), keys.flight(no));
  }
}
