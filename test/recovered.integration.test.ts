import { channelName, type SendItem } from '@ruyi/contracts';
import { BROADCAST, type BroadcastJob, DEAD, type IndexJob, openQueues, type Queues } from '@ruyi/queue';
import { createSearchEngine, type SearchEngine } from '@ruyi/search';
import { keys, refOf, type Store, shardNumber, shardOf } from '@ruyi/store';
import { type TempDir, tempDir } from '@ruyi/testkit';
import fc from 'fast-check';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { handleIndexJob, noteIndexed } from '../apps/indexer/src/handleIndexJob.ts';
import { rebuildFromRedis } from '../apps/indexer/src/rebuild.ts';
import { found, LIMITS, now, payload, testStores, uidKey } from '../apps/indexer/test/harness.ts';
import { handleLaneJob } from '../apps/worker/src/jobs/handleLaneJob.ts';

const redis = testStores();
const silent = { warn() {} };
const signal = new AbortController().signal;
const FROM = 'news';
const UIDS = Array.from({ length: 14 }, (_, i) => `u${i}`);
const CHUNK = 3;

const EVENTS = ['index', 'loseIndexJobs', 'rebuild', 'reindex', 'repairOne', 'repairAll', 'retry', 'replay'] as const;
type Event = (typeof EVENTS)[number];

/** A batch whose first try fails for some recipients, and everything that may happen to it afterwards. */
class World {
  readonly #folder: TempDir = tempDir('recovered');
  readonly #store: Store;
  readonly #queues: Queues;
  readonly #broken: Set<string>;
  readonly #jobs: { id: string; data: BroadcastJob }[] = [];
  readonly #engine: SearchEngine;
  #ref = '';
  #runs = 0;
  #indexLost = false;

  constructor(store: Store, broken: string[]) {
    this.#store = store;
    this.#queues = openQueues(redis.connect(), 1);
    this.#broken = new Set(broken);
    this.#engine = createSearchEngine({ meiliUrl: '', meiliApiKey: '', dataDir: this.#folder.path }, 'writer');
  }

  async begin(): Promise<void> {
    await this.#engine.prepare();
    for (const uid of this.#broken) await redis.redis.client.set(logKey(uid), 'not a log');
    const id = await this.#store.ids.block(UIDS.length);
    this.#ref = refOf(id);
    const body: Omit<SendItem, 'ch'> = { id, ts: now(), from: FROM, no: 'n', payload: payload({ content: '你好' }) };
    const place = (uid: string) => shardNumber(channelName(1, uid, FROM), LIMITS.shards.count);
    const sorted = UIDS.toSorted((a, b) => place(a) - place(b) || (a < b ? -1 : 1));
    const starts = Array.from({ length: Math.ceil(sorted.length / CHUNK) }, (_, i) => i * CHUNK);
    const chunks = starts.map((start, chunk) => ({
      chunk,
      start,
      uids: sorted.slice(start, start + CHUNK).join('\n'),
    }));
    for (let i = 0; i < chunks.length; i += 2) {
      const data = { ref: this.#ref, from: FROM, chunks: chunks.slice(i, i + 2) };
      this.#jobs.push({ id: `${this.#ref}.0.${i}.${2 * CHUNK}`, data });
    }
    const plan = { total: UIDS.length, toStore: true, createdAt: body.ts, firstAt: 0 };
    await this.#store.progress.open(this.#ref, { ...plan, refused: { invalid: [], unknown: [] } });
    await this.#store.bodies.write(this.#ref, { body, kind: 'batch', cmd: false, starts }, UIDS.length);
    for (const { id: jobId, data } of this.#jobs) await this.#work(jobId, data);
  }

  /** Runs a job of the lane as a worker does. */
  async #work(jobId: string, data: unknown): Promise<void> {
    const counted = { stored: () => {}, deadLetter: () => {} };
    const appender = this.#store.appender('fanout.0');
    const context = { lane: 'fanout.0', store: this.#store, queues: this.#queues, appender, counted, log: silent };
    const run = { jobId, extendLock: async () => true, signal, careful: false };
    await handleLaneJob({ ...context, indexing: () => true, wake: () => {} }, run, { name: BROADCAST.name, data });
  }

  async happens(event: Event): Promise<void> {
    if (event === 'index') await this.#index();
    if (event === 'loseIndexJobs') this.#indexLost = (await this.#takeReferences()).length > 0 || this.#indexLost;
    if (event === 'rebuild') await this.#rebuild(false);
    if (event === 'reindex') await this.#rebuild(true);
    if (event === 'repairOne') await this.#repair([...this.#broken].slice(0, 1));
    if (event === 'repairAll') await this.#repair([...this.#broken]);
    if (event === 'retry') await this.#retry();
    // Runs the first job again under its id, as after a crash between its last step and its completion.
    if (event === 'replay' && this.#runs === 0)
      for (const { id, data } of this.#jobs.slice(-1)) await this.#work(id, data);
  }

  async end(): Promise<void> {
    await this.happens('repairAll');
    await this.happens('retry');
    expect(await this.#queues.dead.getWaiting()).toEqual([]);
    await this.happens('index');
    if (this.#indexLost) await this.happens('rebuild');
  }

  async #index(): Promise<void> {
    for (const job of await this.#takeReferences()) {
      const context = { store: this.#store, queues: this.#queues, signal, log: silent };
      await handleIndexJob({ ...context, take: (document) => this.#engine.index([document]) }, job, `i${++this.#runs}`);
    }
  }

  /** Removes and returns what waits in the outboxes. */
  async #takeReferences(): Promise<IndexJob[]> {
    const { layout, outboxes } = this.#store;
    const jobs: IndexJob[] = [];
    for (const shard of layout.shards.tags) {
      for (let page = await outboxes.read(shard); page; page = await outboxes.read(shard)) {
        for (const one of page.references) {
          if (one.kind !== 'chunks') expect.fail(`a ${one.kind} in the outbox`);
          jobs.push({ broadcast: { ref: one.ref, chunks: one.chunks } });
        }
        await outboxes.trim(page);
      }
    }
    return jobs;
  }

  async #rebuild(isFresh: boolean): Promise<void> {
    // A chunk counts as stored before a rebuild only from the next second on. The rebuild waits for that second itself.
    const fresh = isFresh ? await this.#engine.begin(false) : undefined;
    await rebuildFromRedis({
      store: this.#store,
      directory: this.#folder.path,
      id: `r${++this.#runs}`,
      resume: false,
      take: async (documents) => {
        await (fresh ?? this.#engine).index(documents);
      },
      noteIndexed: (parts) => noteIndexed(this.#store, parts),
      signal,
    });
    await fresh?.swap();
    this.#indexLost = false;
  }

  async #repair(uids: string[]): Promise<void> {
    for (const uid of uids) {
      await redis.redis.client.del(logKey(uid));
      this.#broken.delete(uid);
    }
  }

  async #retry(): Promise<void> {
    for (const data of await take(this.#queues.dead)) {
      const letter = DEAD.schema.parse(data);
      await this.#work(`retry-${++this.#runs}.1`, letter.data);
    }
  }

  async progress() {
    return (await this.#store.progress.read(this.#ref)) ?? expect.fail('the batch is not known');
  }

  /** The recipients who have the message in Redis. */
  async holders(): Promise<Set<string>> {
    const types = await Promise.all(UIDS.map((uid) => redis.redis.client.type(logKey(uid))));
    return new Set(UIDS.filter((_, i) => types[i] === 'zset'));
  }

  /**
   * How often each recipient finds the message, and how often its sender does who names the recipient. Totals must
   * agree.
   */
  async finds(): Promise<Map<string, [number, number]>> {
    const text = { content: '你好' };
    const counts = new Map<string, [number, number]>();
    for (const uid of UIDS) {
      const ownHits = await found(this.#engine, uid, { text });
      const anyOf = [{ from: uidKey(FROM), audience: uidKey(uid), channelType: 1 }];
      const named = await found(this.#engine, FROM, { text, anyOf, audience: [uidKey(FROM), uidKey(uid)] });
      counts.set(uid, [ownHits.length, named.length]);
    }
    return counts;
  }

  async close(): Promise<void> {
    await Promise.all([this.#engine.close(), this.#queues.close()]);
    this.#folder.remove();
  }
}

const logKey = (uid: string) => {
  const channel = channelName(1, uid, FROM);
  return keys.log(shardOf(channel, LIMITS.shards), channel);
};

/** Removes and returns all jobs that wait on a queue. */
async function take(queue: Queues['dead']): Promise<unknown[]> {
  const jobs = await queue.getWaiting();
  for (const job of jobs) await job.remove();
  return jobs.map(({ data }) => data);
}

let store: Store;
beforeEach(() => {
  store = redis.open();
});
afterEach(() => redis.redis.client.flushall());

async function check(broken: string[], events: Event[]): Promise<void> {
  await redis.redis.client.flushall();
  const world = new World(store, broken);
  try {
    await world.begin();
    let before = await world.progress();
    expect([before.stored, before.failed]).toEqual([UIDS.length - broken.length, broken.length]);
    for (const event of events) {
      await world.happens(event);
      const after = await world.progress();
      expect(after.indexed).toBeLessThanOrEqual(after.stored);
      expect(after.indexed).toBeGreaterThanOrEqual(before.indexed);
      before = after;
      const holders = await world.holders();
      for (const [uid, counts] of await world.finds()) {
        for (const count of counts)
          expect(count, `${uid} after ${event}`).toBeLessThanOrEqual(holders.has(uid) ? 1 : 0);
      }
    }
    await world.end();
    expect(await world.finds()).toEqual(new Map(UIDS.map((uid) => [uid, [1, 1]])));
    expect(await world.progress()).toMatchObject({ stored: UIDS.length, failed: 0, indexed: UIDS.length });
  } finally {
    await world.close();
  }
}

const NAMED: [string, Event[]][] = [
  ['nothing in between', []],
  ['indexed at once', ['index', 'repairAll', 'retry', 'index']],
  ['a reindex before the repair', ['index', 'reindex', 'repairAll', 'retry', 'index']],
  ['a reindex before anything was indexed', ['loseIndexJobs', 'reindex', 'repairAll', 'retry', 'index']],
  ['a reindex between retry and index job', ['index', 'repairAll', 'retry', 'reindex', 'index']],
  ['a retry that fails again', ['index', 'retry', 'reindex', 'repairOne', 'retry', 'index', 'reindex']],
  ['a second reindex', ['reindex', 'repairAll', 'retry', 'index', 'reindex', 'rebuild']],
  ['index jobs of the retry that are lost', ['index', 'repairAll', 'retry', 'loseIndexJobs', 'rebuild']],
];

test.each(NAMED)('recovered recipients find their message exactly once: %s', async (_, events) => {
  await check(['u2', 'u3', 'u9'], events);
});

test('a chunk that failed for everybody', async () => {
  await check(UIDS, ['index', 'reindex', 'repairOne', 'retry', 'index', 'repairAll', 'retry', 'reindex']);
});

test('any events in any order', async () => {
  const scenario = fc.tuple(
    fc.uniqueArray(fc.constantFrom(...UIDS), { minLength: 1, maxLength: 6 }),
    fc.array(fc.constantFrom(...EVENTS), { maxLength: 8 }),
  );
  await fc.assert(
    fc.asyncProperty(scenario, ([broken, events]) => check(broken, events)),
    { numRuns: 12, seed: 7, endOnFailure: true },
  );
});
