import type { Chunk } from '@ruyi/contracts';
import { together } from '@ruyi/flow';
import { BROADCAST, type BroadcastJob, byProblem, problemsOf } from '@ruyi/queue';
import { untilServed } from '@ruyi/redis';
import { type FailedRecipient, FencedError, type JobRun } from '@ruyi/store';
import { type FailedPart, toDeadLetters } from './deadLetter.ts';
import type { LaneContext, LaneRun } from './laneContext.ts';

/** `untilServed` that stops when the run of the job is aborted. */
export const repeated = <T>(run: JobRun, work: () => Promise<T>): Promise<T> => untilServed(work, run.signal);

/** @throws FencedError if another worker has the job by now, or if Redis has forgotten it */
export async function requireLock(run: JobRun): Promise<void> {
  const isHeld = await repeated(run, () => run.extendLock());
  if (!isHeld) throw new FencedError(`job ${run.jobId} is in other hands, or forgotten`);
}

/** Which of these chunks are stored already, and the broadcast; undefined if its body is gone. */
export async function lookUp({ store }: LaneContext, run: JobRun, ref: string, chunks: number[]) {
  const [done, bodies] = await together(
    repeated(run, async () => (chunks.length === 0 ? new Set<number>() : store.progress.stored(ref, chunks))),
    repeated(run, () => store.bodies.read([ref])),
  );
  return { done, broadcast: bodies.get(ref) };
}

/** No letter has more recipients: it is one job when it is tried again. */
const MOST_IN_LETTER = 2000;

/**
 * Makes a dead letter of the recipients that could not be served, one chunk per reason. The same recipients fail in every run of
 * the job, so its first position names the letter.
 */
export async function recipientsToDeadLetters(
  context: LaneContext,
  run: LaneRun,
  job: Pick<BroadcastJob, 'ref' | 'no' | 'from' | 'cmd'>,
  number: number,
  failures: FailedRecipient[],
): Promise<void> {
  const { queues, store } = context;
  const { ref, no, from, cmd } = job;
  const sorted = failures.toSorted((a, b) => a.recipient.position - b.recipient.position);
  const parts: FailedPart[] = [];
  for (let i = 0; i < sorted.length; i += MOST_IN_LETTER) {
    const some = sorted.slice(i, i + MOST_IN_LETTER);
    const destination = { from, isCommand: cmd === 1, shards: store.layout.shards };
    const targets = some.map(({ recipient, reason }) => ({ target: recipient, reason }));
    const problems = await repeated(run, () => problemsOf(queues.redis, destination, targets));
    const groups = byProblem(some, problems);
    const chunks = groups.map(({ failures: group }) => chunkOf(number, group));
    const data = { ref, ...(no === undefined ? {} : { no }), from, ...(cmd ? { cmd } : {}), chunks };
    const largest = groups.toSorted((a, b) => b.failures.length - a.failures.length)[0];
    const reason = largest?.problem.reason ?? '';
    const letter = { name: BROADCAST.name, reason, data, problems: groups.map(({ problem }) => problem) };
    parts.push({ part: String(some[0]?.recipient.position ?? 0), letter });
  }
  await toDeadLetters(context, run, parts);
}

const chunkOf = (chunk: number, failures: FailedRecipient[]): Chunk => ({
  chunk,
  start: 0,
  at: failures.map(({ recipient }) => recipient.position),
  uids: failures.map(({ recipient }) => recipient.uid).join('\n'),
});
