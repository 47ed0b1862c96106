import type { FoundMessage } from '@ruyi/contracts';
import type { Presentation, SearchHit, SearchTurn } from '@ruyi/search';
import type { Store } from '@ruyi/store';
import { type LookedUp, lookUpHits, type OnDamaged, type Searcher } from './lookUpHits.ts';

/** An answer stops after this much payload, never before one message (docs/api.md §1). */
const MOST_SHOWN_BYTES = 16 * 1024 * 1024;
/** Hits are read in slices of about this much payload, so a page of the largest messages is never in memory at once. */
const SLICE_BYTES = 4 * 1024 * 1024;
const MOST_AT_ONCE = 128;
/** Payloads are handed to the search process in pieces of this size, because copying one blocks the event loop. */
const PIECE_CHARACTERS = 1024 * 1024;

/** The found messages of one page, each as JSON in UTF-8. */
export interface Page {
  messages: Buffer[];
  /** whether the page is shorter than it could be, because of its size */
  truncated: boolean;
}

export interface PageSource {
  store: Store;
  turn: SearchTurn;
  presentation: Presentation;
  /** the largest payload that can have been sent, in bytes */
  maxPayloadBytes: number;
  onDamaged: OnDamaged;
}

/** Reads hits from Redis and renders them, until all are there or the answer is large enough. */
export async function readPage(source: PageSource, hits: SearchHit[], searcher: Searcher): Promise<Page> {
  const { store, turn, presentation, maxPayloadBytes, onDamaged } = source;
  const messages: Buffer[] = [];
  let bytes = 0;
  let atOnce = Math.max(1, Math.min(16, Math.floor(SLICE_BYTES / maxPayloadBytes)));
  for (let from = 0; from < hits.length; ) {
    const slice = hits.slice(from, from + atOnce);
    from += atOnce;
    const found = await lookUpHits(store, slice, searcher, onDamaged);
    for (const piece of piecesOf(found)) {
      const payloads = await turn.present(
        piece.map(({ message }) => message.payload),
        presentation,
      );
      for (const [i, one] of piece.entries()) {
        const payload = payloads[i] ?? Buffer.from('{}');
        bytes += payload.length;
        if (messages.length > 0 && bytes > MOST_SHOWN_BYTES) return { messages, truncated: true };
        messages.push(messageJson(one, payload));
      }
    }
    const mean = found.reduce((sum, { message }) => sum + message.payload.length, 0) / Math.max(1, found.length);
    atOnce = Math.max(1, Math.min(MOST_AT_ONCE, atOnce * 2, Math.floor(SLICE_BYTES / Math.max(1, mean))));
  }
  return { messages, truncated: false };
}

function* piecesOf(found: LookedUp[]): Generator<LookedUp[]> {
  let piece: LookedUp[] = [];
  let characters = 0;
  for (const one of found) {
    if (piece.length > 0 && characters + one.message.payload.length > PIECE_CHARACTERS) {
      yield piece;
      [piece, characters] = [[], 0];
    }
    piece.push(one);
    characters += one.message.payload.length;
  }
  if (piece.length > 0) yield piece;
}

/** @param payload a JSON value, which is copied as it is */
function messageJson({ message, channelId }: LookedUp, payload: Buffer): Buffer {
  const head: Partial<FoundMessage> = {
    message_id: message.message_id,
    message_idstr: message.message_idstr,
    message_seq: message.message_seq,
    client_msg_no: message.client_msg_no,
    from_uid: message.from_uid,
    channel_id: channelId,
    channel_type: message.channel_type,
  };
  const tail: Partial<FoundMessage> = { topic: message.topic, timestamp: message.timestamp };
  return Buffer.concat([
    Buffer.from(`${JSON.stringify(head).slice(0, -1)},"payload":`),
    payload,
    Buffer.from(`,${JSON.stringify(tail).slice(1)}`),
  ]);
}
