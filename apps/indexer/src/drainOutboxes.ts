import { eachLimited, groupBy } from '@ruyi/flow';
import { INDEX, INDEX_QUEUE, type IndexJob, type Queues, shardsOfGroup, type WakePage } from '@ruyi/queue';
import { isTransient, untilServed } from '@ruyi/redis';
import {
  Outboxes,
  type OutboxPage,
  type Reference,
  requestRebuild,
  type Shard,
  type Store,
  toldPage,
} from '@ruyi/store';
import { digestOf } from './handleIndexJob.ts';

/** A wake-up is worked for no longer: whoever looks at the queue sees that it moves, and a process can stop. */
const LONGEST_MS = 1000;

/** Names the dead letters of references, beside what they are about. */
const LETTERS_OF = 'outbox';

export interface DrainContext {
  store: Store;
  /** over a connection that repeats no command by itself */
  queues: Queues;
  /** makes these messages searchable; resolves when that is durable and noted, see handleIndexJob */
  index(job: IndexJob, lettersOf: string): Promise<void>;
  /** told how long ago each message was stored that can be found now, in milliseconds */
  observe(age: number): void;
  /** true once this process takes no more work */
  isClosing(): boolean;
  signal: AbortSignal;
  log: { warn(fields: object, text: string): void };
}

/**
 * Indexes what waits in the outboxes of a group of shards, a page of each at a time, and trims it.
 * @param losses how often a connection to Redis was lost so far
 * @param told the first references of some of them, as whoever wrote them says
 * @returns whether something may be left
 */
export async function drainGroup(
  context: DrainContext,
  group: number,
  losses: () => number,
  told: WakePage[] = [],
): Promise<boolean> {
  const { store, queues } = context;
  const outboxes = new Outboxes(queues.redis, store.layout.shards);
  const shards = shardsOfGroup(store.layout.shards, group);
  const until = performance.now() + LONGEST_MS;
  const isOver = () => context.isClosing() || performance.now() > until;
  const first = new Map(told.map(({ shard, references }) => [shard, toldPage(shard, references)]));
  let isLeft = false;
  await eachLimited(shards, shards.length, async (shard) => {
    if (await drainShard(context, { outboxes, losses, isOver }, shard, first.get(shard))) isLeft = true;
  });
  return isLeft;
}

interface Drain {
  outboxes: Outboxes;
  losses(): number;
  isOver(): boolean;
}

async function drainShard(
  context: DrainContext,
  { outboxes, losses, isOver }: Drain,
  shard: Shard,
  told?: OutboxPage,
): Promise<boolean> {
  if (told) {
    const before = losses();
    await indexPage(context, told);
    if ((await trimUnbroken(context, outboxes, told, () => before === losses())) === 0) return false;
  }
  do {
    const before = losses();
    const page = await untilServed(() => outboxes.read(shard), context.signal);
    if (!page) return false;
    await indexPage(context, page);
    // A Redis that comes back after a loss of power may have forgotten what was noted: the page is indexed once more, then.
    const left = await trimUnbroken(context, outboxes, page, () => before === losses());
    if (left === 0) return false;
    // Somebody else trims, or marks that the index has to be rebuilt: the next wake-up looks again.
    if (left === 'not ours') return true;
  } while (!isOver());
  return true;
}

/**
 * Trims a page over the connection that was there when the page was read.
 * @returns how many references are left, as far as that is known
 */
async function trimUnbroken(
  { queues, signal }: DrainContext,
  outboxes: Outboxes,
  page: OutboxPage,
  isUnbroken: () => boolean,
): Promise<number | 'not ours' | 'unknown'> {
  // A command that waits for the next connection would not know what is lost until then.
  while (queues.redis.status !== 'ready') await untilServed(() => queues.redis.ping(), signal);
  if (!isUnbroken()) return 'unknown';
  try {
    return (await outboxes.trim(page)) ?? 'not ours';
  } catch (error) {
    if (!isTransient(error)) throw error;
    return 'unknown';
  }
}

async function indexPage(context: DrainContext, { references }: OutboxPage): Promise<void> {
  const { store, queues, signal, log } = context;
  const indexTraced = ({ job, parts }: PageJob) => {
    const traces = parts.flatMap(({ trace }) => (trace === undefined ? [] : [trace]));
    return queues.tracing.resume(traces, 'index', { 'ruyi.references': parts.length }, () => indexSurely(context, job));
  };
  await Promise.all(jobsOf(references).map(indexTraced));
  const missing = reasonToRebuild(references);
  if (missing !== undefined) {
    log.warn({ reason: missing }, 'the search index misses messages, it is rebuilt');
    await untilServed(() => requestRebuild(store, missing), signal);
  }
  for (const reference of references) {
    if (reference.kind === 'message' || reference.kind === 'chunks') context.observe(Date.now() - reference.at);
  }
}

/** Why the index misses something that these references do not name. */
function reasonToRebuild(references: Reference[]): string | undefined {
  if (references.some(({ kind }) => kind === 'mark')) return 'too much waited to be indexed';
  return references.some(({ kind }) => kind === 'unreadable') ? 'an outbox was damaged' : undefined;
}

interface PageJob {
  job: IndexJob;
  /** what it was made of */
  parts: { trace?: string | undefined }[];
}

function jobsOf(references: Reference[]): PageJob[] {
  const messages = references.flatMap((one) => (one.kind === 'message' ? [one] : []));
  const byChannel = groupBy(messages, ({ channel }) => channel);
  const logs = [...byChannel].map(([ch, ofChannel]) => ({ ch, seqs: ofChannel.map(({ seq }) => seq) }));
  const jobs: PageJob[] = logs.length > 0 ? [{ job: { logs }, parts: messages }] : [];
  for (const one of references) {
    if (one.kind === 'chunks') jobs.push({ job: { broadcast: { ref: one.ref, chunks: one.chunks } }, parts: [one] });
  }
  return jobs;
}

/**
 * Indexes a part of a page. What fails for a reason that nobody has foreseen becomes jobs of the index queue, by channel: the one
 * to blame fails there, and is kept for people. In its outbox it would hold up everything behind it, for ever.
 */
async function indexSurely({ index, store, queues, signal, log }: DrainContext, job: IndexJob): Promise<void> {
  try {
    await index(job, LETTERS_OF);
  } catch (error) {
    if (signal.aborted) throw error;
    log.warn({ err: error }, 'references cannot be indexed, they become jobs of the index queue');
    const add = async () => {
      for (const part of job.logs?.map((one): IndexJob => ({ logs: [one] })) ?? [job]) {
        await queues.index.add(INDEX.name, part, { jobId: `${LETTERS_OF}-${digestOf(part)}` });
      }
    };
    await untilServed(() => store.durably([INDEX_QUEUE.prefix], add), signal);
  }
}
