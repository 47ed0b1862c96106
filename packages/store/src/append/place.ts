import { keys } from '../keys.ts';
import type { Shard } from '../shardTags.ts';

/** A log or an inbox: where an entry is appended. */
export type Place = { shard: Shard; channel: string } | { shard: Shard; uid: string };

/** The key of its seq counter. */
export const counterKey = (place: Place): string =>
  'uid' in place ? keys.inboxSeq(place.shard, place.uid) : keys.seq(place.shard, place.channel);

/** The key of its entries. */
export const entriesKey = (place: Place): string =>
  'uid' in place ? keys.inbox(place.shard, place.uid) : keys.log(place.shard, place.channel);
