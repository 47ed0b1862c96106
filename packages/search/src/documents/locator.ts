/** Where a document's message is in Redis. The indexer writes it into the document, the API reads it from the hit. */
export type Locator =
  /** a message in a log: channel name, seq, message_id */
  | { ch: string; seq: number; id: number }
  /** recipients of a broadcast: `start` is the position of the audience's first one, `from` the sender's uid */
  | { ref: string; start: number; from: string };

export const writeLocator = (locator: Locator): string => JSON.stringify(locator);

/** @returns undefined if it is damaged */
export function readLocator(text: string): Locator | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return isLocator(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

function isLocator(value: unknown): value is Locator {
  if (typeof value !== 'object' || value === null) return false;
  const has = (field: string, type: 'string' | 'number') => typeof Reflect.get(value, field) === type;
  return (
    (has('ch', 'string') && has('seq', 'number') && has('id', 'number')) ||
    (has('ref', 'string') && has('start', 'number') && has('from', 'string'))
  );
}
