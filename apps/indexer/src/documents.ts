import { type Chunk, CorruptError, type MessageBody } from '@ruyi/contracts';
import type { IndexJob } from '@ruyi/queue';
import { chunkDocument, lateRecipientDocument, messageDocument, type SearchDocument } from '@ruyi/search';
import { type Broadcast, chunkRecipients, isDamage, type Recipient, type Store } from '@ruyi/store';

/** The part of a broadcast's progress that a document stands for: recipients of a chunk, or one late recipient. */
export type IndexedPart = { ref: string; chunk: number; size: number } | { ref: string; position: number };

/** A document, and the job that would make it again if the engine refuses it. */
export interface Sourced {
  document: SearchDocument;
  source: IndexJob;
  /** of a broadcast: the part of its progress that is indexed with it */
  part?: IndexedPart;
}

/** Part of a job whose messages cannot be read, and why. */
export interface Unreadable {
  source: IndexJob;
  reason: string;
}

/**
 * The documents of an index job; messages that are gone or have expired have none.
 * @throws CorruptError if any of its messages is damaged in Redis
 */
export async function documentsOf(store: Store, job: IndexJob): Promise<Sourced[]> {
  const { documents, unreadable } = await readableDocumentsOf(store, job);
  const [first] = unreadable;
  if (first) throw new CorruptError(first.reason);
  return documents;
}

/** The same, except that damaged messages are left out and listed in `unreadable`. */
export async function readableDocumentsOf(
  store: Store,
  job: IndexJob,
): Promise<{ documents: Sourced[]; unreadable: Unreadable[] }> {
  const unreadable: Unreadable[] = [];
  const read = async (source: IndexJob, make: () => Promise<Sourced[]>) => {
    try {
      return await make();
    } catch (error) {
      if (!isDamage(error)) throw error;
      unreadable.push({ source, reason: error.message });
      return [];
    }
  };
  const documents: Sourced[] = [];
  for (const { ch, seqs } of job.logs ?? []) {
    const whole = await store.logs.bodiesAt(ch, seqs).catch((error: unknown) => {
      if (isDamage(error)) return undefined;
      throw error;
    });
    if (whole) documents.push(...whole.map((message) => sourcedMessage(ch, message)));
    // Something is damaged. Read one at a time, so that the others are found.
    for (const seq of whole ? [] : seqs) {
      const one = async () => (await store.logs.bodiesAt(ch, [seq])).map((message) => sourcedMessage(ch, message));
      documents.push(...(await read({ logs: [{ ch, seqs: [seq] }] }, one)));
    }
  }
  if (job.broadcast) {
    const { ref, chunks } = job.broadcast;
    const all = () => broadcastDocuments(store, ref, chunks);
    documents.push(...(await read({ broadcast: job.broadcast }, all)));
  }
  return { documents, unreadable };
}

const sourcedMessage = (ch: string, { seq, body }: { seq: number; body: MessageBody }): Sourced => ({
  document: messageDocument(ch, seq, body),
  source: { logs: [{ ch, seqs: [seq] }] },
});

/** One document per chunk, without its late recipients, and one per late recipient who has the message now. */
async function broadcastDocuments(store: Store, ref: string, chunks: Chunk[]): Promise<Sourced[]> {
  const broadcast = (await store.bodies.read([ref])).get(ref);
  if (!broadcast) return [];
  const documents: Sourced[] = [];
  for (const chunk of chunks) {
    const recipients = chunkRecipients(chunk);
    const late = new Set(
      await store.late.among(
        ref,
        recipients.map(({ position }) => position),
      ),
    );
    if (chunk.at === undefined) {
      const document = chunkDocument(ref, broadcast.body, { ...chunk, uids: withoutLate(recipients, late) });
      const part = { ref, chunk: chunk.chunk, size: recipients.length - late.size };
      if (part.size > 0) documents.push({ document, source: { broadcast: { ref, chunks: [chunk] } }, part });
    }
    const { from } = broadcast.body;
    const served = recipients
      .filter(({ position }) => late.has(position))
      .map((recipient) => ({ ...recipient, ref, from }));
    const seqs = await store.logs.seqsOfReferences(served);
    for (const [i, recipient] of served.entries()) {
      if (seqs[i] !== 0) documents.push(lateDocument(ref, broadcast, recipient));
    }
  }
  return documents;
}

const withoutLate = (recipients: Recipient[], late: Set<number>): string =>
  recipients.map(({ uid, position }) => (late.has(position) ? '' : uid)).join('\n');

/** The document of one late recipient. */
export function lateDocument(ref: string, { body }: Broadcast, { uid, position }: Recipient): Sourced {
  return {
    document: lateRecipientDocument(ref, body, { uid, position }),
    source: { broadcast: { ref, chunks: [{ chunk: 0, start: position, at: [position], uids: uid }] } },
    part: { ref, position },
  };
}
