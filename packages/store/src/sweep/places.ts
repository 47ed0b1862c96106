import { groupBy } from '@ruyi/flow';

/** What the sweeper looks at: a log or an inbox, by the name of its channel or user. */
export interface SweptPlace {
  shard: number;
  name: string;
}

const FORMS = {
  log: /^r:\{(\d+)\}:log:(.*)$/s,
  inbox: /^r:\{(\d+)\}:in:(.*)$/s,
} as const;
const BODY = /^r:\{b([0-9a-z]{1,11})\}:(?:body|gone|late)$/;

/** The logs, inboxes and broadcasts among these keys; the first two by shard, because a script call is for one shard. */
export function placesOf(keys: string[]): { logs: SweptPlace[][]; inboxes: SweptPlace[][]; refs: Set<string> } {
  const refs = keys.flatMap((key) => BODY.exec(key)?.[1] ?? []);
  return { logs: byShard(keys, FORMS.log), inboxes: byShard(keys, FORMS.inbox), refs: new Set(refs) };
}

function byShard(keys: string[], form: RegExp): SweptPlace[][] {
  const places = keys.flatMap((key) => {
    const [, shard, name] = form.exec(key) ?? [];
    return name === undefined ? [] : [{ shard: Number(shard), name }];
  });
  return [...groupBy(places, ({ shard }) => shard).values()];
}
