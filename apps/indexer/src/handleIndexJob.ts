import { createHash } from 'node:crypto';
import type { LetterCode } from '@ruyi/contracts';
import { groupBy } from '@ruyi/flow';
import { addDeadLetter, DEAD_QUEUE, INDEX, type IndexJob, type Queues } from '@ruyi/queue';
import { untilServed } from '@ruyi/redis';
import type { RefusedDocument, SearchDocument } from '@ruyi/search';
import { isDamage, keys, type Store } from '@ruyi/store';
import { type IndexedPart, readableDocumentsOf } from './documents.ts';

export interface IndexContext {
  store: Store;
  queues: Queues;
  /**
   * adds a document to the index; resolves when its batch is in, with the documents of that batch that the engine
   * refused
   */
  take(document: SearchDocument): Promise<RefusedDocument[]>;
  /** aborts when the process stops */
  signal: AbortSignal;
  log: { warn(fields: object, text: string): void };
}

/**
 * Makes an index job's messages searchable. Those that the engine refuses, or that are damaged in Redis, become dead
 * letters; the others are indexed. A replay makes the same documents, and the same letters, also together with other messages.
 * @param jobId names the letters, beside what they are about
 * @returns how many documents are indexed, and how many the engine refused
 */
export async function handleIndexJob(
  { store, queues, take, signal, log }: IndexContext,
  job: IndexJob,
  jobId: string,
): Promise<{ indexed: number; refused: number }> {
  let letters = 0;
  const letter = async (part: string, code: LetterCode, source: IndexJob, reason: string) => {
    log.warn({ jobId, part, reason }, 'dead letter');
    const data = { queue: 'index', name: INDEX.name, reason, data: source, problems: [{ code, reason, count: 1 }] };
    // If the job tries a letter again, the first part that fails is that letter once more.
    const of = { shards: store.layout.shards, retried: letters++ === 0 ? job.letter : undefined };
    const add = () => addDeadLetter(queues, `${jobId}-${part}`, data, of);
    await untilServed(() => store.durably([DEAD_QUEUE.prefix], add), signal);
  };
  const { documents, unreadable } = await untilServed(() => readableDocumentsOf(store, job), signal);
  for (const { source, reason } of unreadable)
    await letter(`unreadable-${digestOf(source)}`, 'damaged', source, reason);
  const refused = new Map<string, string>();
  const takeAll = () =>
    Promise.all(
      documents.map(async ({ document }) => {
        for (const { id, reason } of await take(document)) refused.set(id, reason);
      }),
    );
  await queues.tracing.step('index', { 'ruyi.documents': documents.length }, takeAll);
  const parts: IndexedPart[] = [];
  let count = 0;
  for (const { document, source, part } of documents) {
    const reason = refused.get(document.id);
    if (reason !== undefined) {
      count++;
      await letter(document.id, 'document_refused', source, reason);
    } else if (part) parts.push(part);
  }
  try {
    await untilServed(() => noteIndexed(store, parts), signal);
  } catch (error) {
    if (!isDamage(error)) throw error;
    // The messages can be found. A request for the progress of the batch is answered that it is damaged.
    log.warn({ jobId, err: error }, 'progress is damaged');
  }
  return { indexed: documents.length - count, refused: count };
}

/** Names a part of a job by what it refers to. */
export const digestOf = (source: IndexJob): string =>
  createHash('sha256').update(JSON.stringify(source)).digest('hex').slice(0, 16);

/** Notes in the progress of each batch what can be found now. No job would note it again, so it must not be lost. */
export async function noteIndexed(store: Store, parts: IndexedPart[]): Promise<void> {
  const byRef = groupBy(parts, (part) => part.ref);
  await store.durably([...byRef.keys()].map(keys.progress), async () => {
    for (const [ref, ofRef] of byRef) {
      const chunks = ofRef.flatMap((part) => ('chunk' in part ? [part] : []));
      if (chunks.length > 0) await store.progress.chunksIndexed(ref, chunks);
      await store.progress.recipientsIndexed(
        ref,
        ofRef.flatMap((part) => ('position' in part ? [part.position] : [])),
      );
    }
  });
}
