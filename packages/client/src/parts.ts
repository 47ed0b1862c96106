/** Recipients who are uploaded by one request. */
export interface Part {
  part: number;
  lines: Uint8Array<ArrayBuffer>;
  /** how many recipients it names */
  uids: number;
}

export type Uids = Iterable<string> | AsyncIterable<string>;

/** Cuts recipients into parts of `size`. The same list is always cut the same way. */
export async function* cutParts(uids: Uids, size: number): AsyncGenerator<Part> {
  let lines: string[] = [];
  let part = 0;
  const cut = (): Part => {
    const bytes = new TextEncoder().encode(lines.join(''));
    return { part: part++, lines: bytes, uids: lines.length };
  };
  for await (const uid of uids) {
    lines.push(lineOf(uid));
    if (lines.length < size) continue;
    yield cut();
    lines = [];
  }
  if (lines.length > 0) yield cut();
}

/** As JSON where the text alone would be read as something else: a blank line, several lines, or a JSON string. */
function lineOf(uid: string): string {
  if (typeof uid !== 'string') throw new TypeError(`a uid must be a string, not ${typeof uid}`);
  const isPlain = uid !== '' && !uid.startsWith('"') && !/[\r\n]/.test(uid);
  return `${isPlain ? uid : JSON.stringify(uid)}\n`;
}

/** SHA-256 in hex. @throws TypeError in a browser's insecure context, which has no digests */
export async function digestOf(bytes: Uint8Array<ArrayBuffer>): Promise<string> {
  if (crypto.subtle === undefined) throw new TypeError('onPart and resume need a secure context (https or localhost)');
  const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', bytes));
  return Array.from(digest, (byte) => byte.toString(16).padStart(2, '0')).join('');
}
