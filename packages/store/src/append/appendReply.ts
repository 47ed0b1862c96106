import { type OutboxStatus, outboxStatus } from '../outbox/handOvers.ts';

/** What an append script did, in one form for both scripts. Items are numbered within the call, from 0 on. */
export interface AppendReply {
  /** items that could not be stored */
  failed: { index: number; reason: string }[];
  /** items whose log or inbox is over its bound and refers to bodies, so that the caller has to trim it */
  over: number[];
  /** commands that were dropped from inboxes over their bound */
  dropped: number;
  /** of append-messages.lua: the seq of each item; 0 if it was stored already or failed */
  seqs: number[];
  /** of append-messages.lua: what became of the references */
  outbox: OutboxStatus;
}

/** Of a reply `{failed: number, reason, …; over; dropped; seqs; outbox}`. */
export function parseAppendReply(reply: unknown): AppendReply {
  const [failed, over, dropped, seqs, outbox] = Array.isArray(reply) ? reply : [];
  const parsed: AppendReply = {
    failed: [],
    over: numbers(over),
    dropped: Number(dropped),
    seqs: numbers(seqs),
    outbox: outboxStatus(outbox),
  };
  const pairs = Array.isArray(failed) ? failed : [];
  for (let i = 0; i + 1 < pairs.length; i += 2) {
    parsed.failed.push({ index: Number(pairs[i]), reason: String(pairs[i + 1]) });
  }
  return parsed;
}

const numbers = (list: unknown): number[] => (Array.isArray(list) ? list.map(Number) : []);
