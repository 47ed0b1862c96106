/** How much of a job is shown: the first of these that makes it short enough. */
const BOUNDS = [
  { items: 20, characters: 500 },
  { items: 20, characters: 100 },
  { items: 5, characters: 100 },
  { items: 2, characters: 40 },
] as const;
const LONGEST_JSON = 6000;
const DEEPEST = 8;

type Bound = (typeof BOUNDS)[number];

/**
 * A job's data, short enough for a page: a job has up to 2,000 recipients or a mebibyte of messages. Lists, also those of uids
 * in one string, are cut to 20.
 */
export function shortened(data: unknown): unknown {
  for (const bound of BOUNDS) {
    const cut = cutValue(data, bound, 0);
    if ((JSON.stringify(cut) ?? '').length <= LONGEST_JSON) return cut;
  }
  return '… too much to be shown';
}

function cutValue(value: unknown, bound: Bound, depth: number): unknown {
  if (typeof value === 'string') return cutText(value, bound);
  if (typeof value !== 'object' || value === null) return value;
  if (depth === DEEPEST) return '…';
  if (Array.isArray(value)) {
    const shown = value.slice(0, bound.items).map((item) => cutValue(item, bound, depth + 1));
    return value.length > bound.items ? [...shown, more(value.length - bound.items)] : shown;
  }
  const fields = Object.entries(value);
  const shown = fields.slice(0, bound.items).map(([name, item]) => [name, cutValue(item, bound, depth + 1)]);
  return Object.fromEntries(fields.length > bound.items ? [...shown, ['…', more(fields.length - bound.items)]] : shown);
}

/** Uids are lines of one string (contracts' chunk.ts). */
function cutText(text: string, { items, characters }: Bound): string {
  const lines = text.split('\n');
  const few = lines.length > items ? [...lines.slice(0, items), more(lines.length - items)].join('\n') : text;
  return few.length > characters ? `${few.slice(0, characters)}… ${more(text.length - characters)} characters` : few;
}

const more = (n: number) => `… ${n.toLocaleString('en-US')} more`;
