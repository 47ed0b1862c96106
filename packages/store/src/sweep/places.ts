import type { Shard } from '../shardTags.ts';

/** What the sweeper looks at: a log or an inbox, by the name of its channel or user. */
export interface SweptPlace {
  shard: Shard;
  name: string;
}

const PLACE = /^r:\{([0-9a-z]+)\}:(log|in):(.*)$/s;
const BODY = /^r:\{b([0-9a-z]{1,11})\}:(?:body|gone|late)$/;

/** Logs, inboxes and broadcasts that a scan has met; the first two by shard, because a script call is for one shard. */
export class GatheredPlaces {
  readonly logs = new Map<Shard, SweptPlace[]>();
  readonly inboxes = new Map<Shard, SweptPlace[]>();
  readonly refs = new Set<string>();
  /** logs and inboxes */
  count = 0;

  add(keys: string[]): void {
    for (const key of keys) {
      const [, shard, kind, name] = PLACE.exec(key) ?? [];
      if (name !== undefined && shard !== undefined)
        this.#addPlace(kind === 'log' ? this.logs : this.inboxes, { shard, name });
      else {
        const [, ref] = BODY.exec(key) ?? [];
        if (ref !== undefined) this.refs.add(ref);
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
