import { loadScript } from '@ruyi/redis';
import type { Shards } from '@ruyi/store';
import { failedIds } from '../bullmqInternals.ts';
import { DEAD, type DeadJob } from '../jobs.ts';
import type { Queues } from '../queues.ts';
import { type LetterSummary, summaryOf, triesOfId } from './letterSummary.ts';

// A dead letter is a failed job of the queue `dead`. Beside the fields of BullMQ its hash has `summary`, because a letter with
// thousands of uids is not read for a list; `tries`; and `retrying`, `<milliseconds> <job id>`, while a job tries it again.

const noteScript = loadScript(import.meta.url, 'note-letter');
const claimScript = loadScript(import.meta.url, 'claim-letter');

/** Whoever claimed a letter and died before it added its job does not come back: after this time another job may have it. */
const CLAIM_MS = 3_600_000;

export interface Letter extends LetterSummary {
  /** for life: a letter that is tried again and fails keeps it */
  id: string;
  /** milliseconds since when a job tries it again */
  retryingSince?: number;
}

/** Where a list goes on: the time and the id of the last letter that was read. */
export interface Position {
  failedAt: number;
  id: string;
}

/** @returns false if there is no such letter */
export async function noteLetter(
  { dead, redis }: Queues,
  id: string,
  letter: DeadJob & { tries: number },
  summary: LetterSummary,
): Promise<boolean> {
  const args = [letter.tries, JSON.stringify(letter), JSON.stringify(summary), letter.reason];
  return (await noteScript(redis, [dead.toKey(id)], args)) === 1;
}

/** Reserves a letter for a job that tries it again. */
export async function claimLetter(
  { dead, redis }: Queues,
  letter: { id: string; tries: number },
  jobId: string,
): Promise<'claimed' | 'taken' | 'gone'> {
  const claimKeys = [dead.toKey(letter.id), dead.toKey('failed')];
  const answer = await claimScript(redis, claimKeys, [letter.id, jobId, letter.tries, Date.now(), CLAIM_MS]);
  return answer === 1 ? 'claimed' : answer === 0 ? 'taken' : 'gone';
}

/** How often a letter was tried so far; undefined if it is gone. */
export async function triesOf(queues: Queues, id: string): Promise<number | undefined> {
  const [tries, timestamp] = await queues.redis.hmget(queues.dead.toKey(id), 'tries', 'timestamp');
  return timestamp == null ? undefined : Number(tries ?? triesOfId(id));
}

/** A letter with all it holds; undefined if it is gone. */
export async function readLetter(
  queues: Queues,
  id: string,
  shards: Shards,
): Promise<{ summary: Letter; letter: DeadJob } | undefined> {
  const fields = await queues.redis.hmget(queues.dead.toKey(id), 'data', 'timestamp', 'retrying', 'failedReason');
  const [data, timestamp, retrying, reason] = fields;
  if (data == null || timestamp == null) return undefined;
  const letter = letterOf(data, reason);
  const summary = summaryOf(id, letter, shards, Number(timestamp));
  return { summary: withState(id, summary, retrying), letter };
}

/** A letter that is damaged itself is one of which nothing is known. */
function letterOf(data: string, reason: string | null | undefined): DeadJob {
  const parsed = DEAD.schema.safeParse(jsonOf(data));
  if (parsed.success) return parsed.data;
  return { queue: '', name: '', reason: reason ?? 'the dead letter is damaged', raw: data };
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** What note-letter.lua wrote; whatever else lies there is damaged. */
function parsedSummary(text: string): LetterSummary | undefined {
  const value = jsonOf(text);
  const isSummary = (one: unknown): one is LetterSummary =>
    typeof one === 'object' && one !== null && 'problems' in one && Array.isArray(one.problems);
  return isSummary(value) ? value : undefined;
}

const withState = (id: string, summary: LetterSummary, retrying: string | null | undefined): Letter => ({
  id,
  ...summary,
  ...(retrying == null ? {} : { retryingSince: Number.parseInt(retrying, 10) }),
});

const READ_AT_ONCE = 200;

/** All letters, the one that failed last first; from behind `after` on. A letter that is removed meanwhile is left out. */
export async function* eachLetter(
  queues: Queues,
  shards: Shards,
  after?: Position,
): AsyncGenerator<{ letter: Letter; position: Position }> {
  for (let from = after; ; ) {
    const page = await failedIds(queues.redis, queues.dead, READ_AT_ONCE, from);
    const letters = await Promise.all(page.map(({ id }) => summaryAt(queues, shards, id)));
    for (const [i, position] of page.entries()) {
      const letter = letters[i];
      if (letter) yield { letter, position };
    }
    from = page.at(-1);
    if (!from) return;
  }
}

async function summaryAt(queues: Queues, shards: Shards, id: string): Promise<Letter | undefined> {
  const [summary, retrying] = await queues.redis.hmget(queues.dead.toKey(id), 'summary', 'retrying');
  const known = summary == null ? undefined : parsedSummary(summary);
  // Letters of earlier versions have none.
  return known ? withState(id, known, retrying) : (await readLetter(queues, id, shards))?.summary;
}

/** The ids of letters that will lie in the list in a moment: their worker has not failed them yet. */
export const lettersOnTheirWay = ({ dead }: Queues): Promise<string[]> => dead.getRanges(['wait', 'active']);

/** The letters of a batch or broadcast, by its batch_no, with all they hold. */
export async function* lettersOfBatch(
  queues: Queues,
  shards: Shards,
  ref: string,
): AsyncGenerator<{ summary: Letter; letter: DeadJob }> {
  for await (const { letter } of eachLetter(queues, shards)) {
    if (letter.batch !== ref) continue;
    const whole = await readLetter(queues, letter.id, shards);
    if (whole) yield whole;
  }
}
