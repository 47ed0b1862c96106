import { parseBroadcastKey, parseShardKey } from '../keys.ts';
import type { Shard } from '../shardTags.ts';

/** What the sweeper looks at: a log or an inbox, by the name of its channel or user. */
export interface SweptPlace {
  shard: Shard;
  name: string;
}

const SWEPT_PARTS = ['body', 'gone', 'late'];

/** Logs, inboxes and broadcasts that a scan has met; the first two by shard, because a script call is for one shard. */
export class GatheredPlaces {
  readonly logs = new Map<Shard, SweptPlace[]>();
  readonly inboxes = new Map<Shard, SweptPlace[]>();
  readonly refs = new Set<string>();
  /** logs and inboxes */
  count = 0;

  add(keys: string[]): void {
    for (const key of keys) {
      const { shard, kind, name } = parseShardKey(key) ?? {};
      if (shard !== undefined && name !== undefined && kind === 'log') this.#addPlace(this.logs, { shard, name });
      else if (shard !== undefined && name !== undefined && kind === 'in')
        this.#addPlace(this.inboxes, { shard, name });
      else {
        const { ref, part = '' } = parseBroadcastKey(key) ?? {};
        if (ref !== undefined && SWEPT_PARTS.includes(part)) this.refs.add(ref);
      }
    }
  }

  #addPlace(places: Map<Shard, SweptPlace[]>, place: SweptPlace): void {
    this.count++;
    const some = places.get(place.shard);
    if (some) some.push(place);
    else places.set(place.shard, [place]);
  }
}
