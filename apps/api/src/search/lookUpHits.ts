import { CHANNEL_TYPE_PERSONAL, channelName, type MessageObject, peerOf } from '@ruyi/contracts';
import { groupBy } from '@ruyi/flow';
import { readLocator, type SearchHit } from '@ruyi/search';
import { firstIdOf, type Store } from '@ruyi/store';
import { readReadable } from './readable.ts';

/** A found message, and its channel as the searcher sees it. */
export interface LookedUp {
  message: MessageObject;
  channelId: string;
}

export interface Searcher {
  uid: string;
  /** the channel_id of the request; it may be another user's uid */
  peer: string | undefined;
}

/** Told of what is damaged in Redis and therefore left out. @param channel its name */
export type OnDamaged = (channel: string, error: unknown) => void;

interface InLog {
  /** of the hit, in the order of the engine */
  index: number;
  ch: string;
  seq: number;
  id: number;
}

interface Reference {
  index: number;
  ref: string;
  /** the recipient's position in the broadcast */
  position: number;
  from: string;
  /** the recipient */
  owner: string;
}

/**
 * Reads hits from Redis. Only Redis knows whether a message is still there and which seq it has; the engine is never the
 * source of truth. A hit is left out if its message is gone or if its log or body is damaged. The order is the engine's.
 */
export async function lookUpHits(
  store: Store,
  hits: SearchHit[],
  searcher: Searcher,
  onDamaged: OnDamaged,
): Promise<LookedUp[]> {
  const inLogs: InLog[] = [];
  const references: Reference[] = [];
  hits.forEach((hit, index) => {
    const locator = readLocator(hit.locator);
    if (!locator) onDamaged(`document ${hit.id}`, new Error('its locator is damaged'));
    else if ('ch' in locator) inLogs.push({ index, ...locator });
    else {
      const reference = referenceOf(hit, locator, searcher);
      if (reference) references.push({ index, ...reference });
    }
  });
  inLogs.push(...(await findReferences(store, references, onDamaged)));
  const found = new Map<number, LookedUp>();
  await Promise.all(
    [...groupBy(inLogs, ({ ch }) => ch)].map(async ([ch, wanted]) => {
      const messages = await readMessages(store, ch, wanted, onDamaged);
      const bySeq = new Map(messages.map((message) => [message.message_seq, message]));
      for (const { index, seq, id } of wanted) {
        const message = bySeq.get(seq);
        if (message?.message_id !== id) continue;
        const isPersonal = message.channel_type === CHANNEL_TYPE_PERSONAL;
        found.set(index, { message, channelId: isPersonal ? peerOf(ch, searcher.uid) : message.channel_id });
      }
    }),
  );
  return hits.flatMap((_, index) => found.get(index) ?? []);
}

function readMessages(store: Store, ch: string, wanted: InLog[], onDamaged: OnDamaged): Promise<MessageObject[]> {
  return readReadable(
    wanted.map(({ seq }) => seq),
    (seqs) => store.logs.bySeqs(ch, seqs),
    (_, error) => onDamaged(ch, error),
  );
}

/** Finds the seqs that messages of broadcasts have in their recipients' logs. Those that are gone are left out. */
async function findReferences(store: Store, references: Reference[], onDamaged: OnDamaged): Promise<InLog[]> {
  const channelOf = ({ owner, from }: Reference) => channelName(CHANNEL_TYPE_PERSONAL, owner, from);
  const found = await readReadable(
    references,
    async (some) => {
      const seqs = await store.logs.seqsOfReferences(some.map((one) => ({ ...one, uid: one.owner })));
      return some.map((reference, i) => ({ reference, seq: seqs[i] ?? 0 }));
    },
    (reference, error) => onDamaged(channelOf(reference), error),
  );
  return found.flatMap(({ reference, seq }) => {
    const { index, ref, position } = reference;
    return seq > 0 ? [{ index, ch: channelOf(reference), seq, id: firstIdOf(ref) + position }] : [];
  });
}

/** The copy of a broadcast that the searcher may see: its own, or as the sender that of the user who was asked for. */
function referenceOf(
  hit: SearchHit,
  { ref, start, from }: { ref: string; start: number; from: string },
  { uid, peer }: Searcher,
): Omit<Reference, 'index'> | undefined {
  const isSender = from === uid && peer !== undefined;
  const position = hit.positions[isSender ? 1 : 0] ?? -1;
  return position < 0 ? undefined : { ref, position: start + position, from, owner: isSender ? peer : uid };
}
