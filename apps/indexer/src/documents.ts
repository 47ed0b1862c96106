import {
  CHANNEL_TYPE_PERSONAL,
  type Chunk,
  channelName,
  type IndexJob,
  type MessageBody,
  personalPair,
} from '@ruyi/contracts';
import { accessKey, type SearchDocument, textFields } from '@ruyi/search';
import { type Broadcast, chunkRecipients, type Store } from '@ruyi/store';

/** A document, and the job that would make it again if the engine refuses it. */
export interface Sourced {
  document: SearchDocument;
  source: IndexJob;
}

/** The documents of an index job; messages that are gone or expired meanwhile have none. */
export async function documentsOf(store: Store, job: IndexJob): Promise<Sourced[]> {
  const documents: Sourced[] = [];
  for (const { ch, seqs } of job.logs ?? []) {
    for (const { seq, body } of await store.logs.bodiesAt(ch, seqs)) {
      documents.push({ document: messageDocument(ch, seq, body), source: { logs: [{ ch, seqs: [seq] }] } });
    }
  }
  if (job.broadcast) {
    const { ref, chunks } = job.broadcast;
    const broadcast = (await store.bodies.read([ref])).get(ref);
    for (const chunk of broadcast ? chunks : []) {
      if (!broadcast) continue;
      const document = chunkDocument(ref, broadcast, chunk);
      documents.push({ document, source: { broadcast: { ref, chunks: [chunk] } } });
    }
  }
  return documents;
}

/** The document of a message in a log. */
export function messageDocument(ch: string, seq: number, body: MessageBody): SearchDocument {
  return {
    ...contentOf(body),
    ...placeOf(ch, Number(ch.slice(0, ch.indexOf(':'))), body.from),
    id: `m${body.id}`,
    order: body.id,
    locator: JSON.stringify({ ch, seq, id: body.id }),
  };
}

/** One document for up to 1,000 recipients: a broadcast costs its chunks, not its recipients. */
export function chunkDocument(ref: string, { body }: Broadcast, chunk: Chunk): SearchDocument {
  return {
    ...contentOf(body),
    id: `${ref}-${chunk.chunk}`,
    audience: chunkRecipients(chunk).map(({ uid }) => (uid === '' ? '' : accessKey('uid', uid))),
    from: accessKey('uid', body.from),
    channel: '',
    channelId: '',
    channelType: CHANNEL_TYPE_PERSONAL,
    order: body.id + chunk.start,
    locator: JSON.stringify({ ref, start: chunk.start, from: body.from }),
  };
}

function contentOf({ ts, exp, topic, payload }: Pick<MessageBody, 'ts' | 'exp' | 'topic' | 'payload'>) {
  const { text, type } = textFields(payload);
  return {
    topic: topic ? accessKey('topic', topic) : '',
    timestamp: ts,
    expiresAt: exp ? ts + exp : 0,
    text,
    ...(type === undefined ? {} : { payloadType: type }),
  };
}

/** Who may find a message: both users of a personal channel; a group's subscribers and the sender. */
function placeOf(ch: string, channelType: number, from: string) {
  const sender = accessKey('uid', from);
  const pair = personalPair(ch);
  if (pair) {
    const audience = [...new Set(pair)].map((uid) => accessKey('uid', uid));
    return { audience, from: sender, channel: '', channelId: '', channelType };
  }
  const id = ch.slice(ch.indexOf(':') + 1);
  const channel = accessKey('channel', channelName(channelType, id));
  return { audience: [channel, sender], from: sender, channel, channelId: accessKey('channel_id', id), channelType };
}
