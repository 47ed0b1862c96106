import type { Meilisearch } from 'meilisearch';
import type { RefusedDocument, SearchDocument } from '../searchDocument.ts';
import { toMeilisearch } from './documents.ts';
import { isRefusal, textOf, unavailable } from './errors.ts';

/** Bounds of one request; the server takes 100 MB at most. */
const MOST_BYTES = 16 * 1024 * 1024;
const MOST_DOCUMENTS = 5000;
const TASK_MS = 120_000;

interface Line {
  id: string;
  /** the document as one line of NDJSON */
  text: string;
}

/** Adds documents batch by batch. A refused batch is halved until the bad document is alone; the rest is added. */
export async function addDocuments(
  client: Meilisearch,
  index: string,
  documents: SearchDocument[],
): Promise<RefusedDocument[]> {
  const refused: RefusedDocument[] = [];
  for (const batch of batchesOf(documents)) refused.push(...(await addBatch(client, index, batch)));
  return refused;
}

function* batchesOf(documents: SearchDocument[]): Generator<Line[]> {
  let batch: Line[] = [];
  let bytes = 0;
  for (const document of documents) {
    const line = { id: document.id, text: JSON.stringify(toMeilisearch(document)) };
    if (batch.length === MOST_DOCUMENTS || (batch.length > 0 && bytes + line.text.length > MOST_BYTES)) {
      yield batch;
      [batch, bytes] = [[], 0];
    }
    batch.push(line);
    bytes += line.text.length;
  }
  if (batch.length > 0) yield batch;
}

async function addBatch(client: Meilisearch, index: string, batch: Line[]): Promise<RefusedDocument[]> {
  const reason = await refusalOf(client, index, batch);
  const [first, ...others] = batch;
  if (reason === undefined || first === undefined) return [];
  if (others.length === 0) return [{ id: first.id, reason }];
  const middle = Math.ceil(batch.length / 2);
  return [
    ...(await addBatch(client, index, batch.slice(0, middle))),
    ...(await addBatch(client, index, batch.slice(middle))),
  ];
}

/** Why the batch was refused; undefined if it is indexed and findable. @throws if the server is at fault */
async function refusalOf(client: Meilisearch, index: string, batch: Line[]): Promise<string | undefined> {
  try {
    const lines = batch.map(({ text }) => text).join('\n');
    const adding = client.index(index).addDocumentsFromString(lines, 'application/x-ndjson', { primaryKey: 'id' });
    const task = await adding.waitTask({ timeout: TASK_MS });
    if (task.status === 'succeeded') return undefined;
    if (task.error?.type === 'invalid_request') return task.error.message;
    throw unavailable(task.error?.message ?? `a task was ${task.status}`);
  } catch (error) {
    if (isRefusal(error)) return textOf(error);
    throw error;
  }
}
