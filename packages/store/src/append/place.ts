import { keys } from '../keys.ts';

/** A log or an inbox: where an entry is appended. */
export type Place = { shard: number; channel: string } | { shard: number; uid: string };

/** The keys of its seq counter and of its entries. */
export const keysOf = (place: Place): [seq: string, entries: string] =>
  'uid' in place
    ? [keys.inboxSeq(place.shard, place.uid), keys.inbox(place.shard, place.uid)]
    : [keys.seq(place.shard, place.channel), keys.log(place.shard, place.channel)];
