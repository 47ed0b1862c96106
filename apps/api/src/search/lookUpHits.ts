import { CHANNEL_TYPE_PERSONAL, channelName, type MessageObject, peerOf } from '@ruyi/contracts';
import type { SearchHit } from '@ruyi/search';
import { firstIdOf, groupBy, type Store } from '@ruyi/store';

/** Where a document's message is in Redis, as the indexer wrote it. */
export type Locator =
  | { ch: string; seq: number; id: number }
  /** of a broadcast: start is the position of the audience's first recipient */
  | { ref: string; start: number; from: string };

/** A found message, and its channel as the searcher sees it. */
export interface LookedUp {
  message: MessageObject;
  channelId: string;
}

interface Reference {
  at: number;
  from: string;
  owner: string;
  ref: string;
}

/**
 * Reads hits from Redis, which alone knows whether a message is still there and which seq it has; the engine is never
 * the source of truth. Hits whose message is gone are left out; the order is the engine's.
 */
export async function lookUpHits(
  store: Store,
  hits: SearchHit[],
  searcher: { uid: string; peer: string | undefined },
): Promise<LookedUp[]> {
  const inLogs: { index: number; ch: string; seq: number; id: number }[] = [];
  const references: { index: number; reference: Reference }[] = [];
  hits.forEach((hit, index) => {
    const locator: Locator = JSON.parse(hit.locator);
    if ('ch' in locator) inLogs.push({ index, ...locator });
    else {
      const reference = referenceOf(hit, locator, searcher);
      if (reference) references.push({ index, reference });
    }
  });

  const found = new Map<number, LookedUp>();
  const place = (index: number, ch: string, wantedId: number, message: MessageObject | undefined) => {
    if (!message || message.message_id !== wantedId) return;
    const isPersonal = message.channel_type === CHANNEL_TYPE_PERSONAL;
    found.set(index, { message, channelId: isPersonal ? peerOf(ch, searcher.uid) : message.channel_id });
  };
  const seqs = references.length > 0 ? await store.logs.seqsOfReferences(references.map(toLogReference)) : [];
  references.forEach(({ index, reference }, i) => {
    const seq = seqs[i] ?? 0;
    const ch = channelName(CHANNEL_TYPE_PERSONAL, reference.owner, reference.from);
    if (seq > 0) inLogs.push({ index, ch, seq, id: firstIdOf(reference.ref) + reference.at });
  });
  await Promise.all(
    [...groupBy(inLogs, ({ ch }) => ch)].map(async ([ch, wanted]) => {
      const type = Number(ch.slice(0, ch.indexOf(':')));
      const messages = await store.logs.bySeqs(
        ch,
        type,
        wanted.map(({ seq }) => seq),
      );
      const bySeq = new Map(messages.map((message) => [message.message_seq, message]));
      for (const { index, seq, id } of wanted) place(index, ch, id, bySeq.get(seq));
    }),
  );
  return hits.flatMap((_, index) => found.get(index) ?? []);
}

const toLogReference = ({ reference }: { reference: Reference }) => ({ ...reference, uid: reference.owner });

/** Which recipient's copy of a broadcast is meant: the searcher's, or, for its sender, that of the peer asked for. */
function referenceOf(
  hit: SearchHit,
  { ref, start, from }: { ref: string; start: number; from: string },
  { uid, peer }: { uid: string; peer: string | undefined },
): Reference | undefined {
  const isSender = from === uid && peer !== undefined;
  const position = hit.positions[isSender ? 1 : 0] ?? -1;
  return position < 0 ? undefined : { ref, at: start + position, from, owner: isSender ? peer : uid };
}
