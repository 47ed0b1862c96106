import { createHash, type Hash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { UsageError } from '../../usageError.ts';
import { codeOf } from './broadcastOptions.ts';

/** A list as it was when the command began. */
export interface ListFacts {
  bytes: number;
  /** SHA-256 in hex */
  digest: string;
}

/** A piece of a list that is uploaded by one request. It ends with a line, unless it is the last. */
export interface ListPart {
  bytes: Buffer;
  /** how many lines it has, to name one by its number in the whole list */
  lines: number;
  /** where it ends in the list */
  end: number;
}

/** Small enough that little is sent again after a crash, and that 99,999 of them hold any list. */
const PART_BYTES = 256 * 1024;
const MOST_PARTS = 50_000;
const LONGEST_LINE = 16 * 1024 * 1024;
const BOM = Buffer.from('\uFEFF');

/** How large the parts of a list are: a constant, unless the list is huge. */
export const partBytesOf = (listBytes: number): number => Math.max(PART_BYTES, Math.ceil(listBytes / MOST_PARTS));

/**
 * Reads a list once. Of a resumed one also the hash up to `offset`, which goes on with what is uploaded.
 * @throws UsageError if it cannot be read or is empty
 */
export async function inspectList(file: string, offset = 0): Promise<ListFacts & { hash: Hash; start: number }> {
  const hash = createHash('sha256');
  let uploaded = createHash('sha256');
  let bytes = 0;
  let head = Buffer.alloc(0);
  try {
    for await (const chunk of readBytes(file)) {
      if (bytes < BOM.length) head = Buffer.concat([head, chunk.subarray(0, BOM.length)]);
      const before = chunk.subarray(0, Math.max(0, offset - bytes));
      hash.update(before);
      if (before.length > 0) uploaded = hash.copy();
      hash.update(chunk.subarray(before.length));
      bytes += chunk.length;
    }
  } catch (error) {
    throw new UsageError(`--uids ${file}: cannot be read (${codeOf(error)})`);
  }
  // An editor's mark would become part of the first uid, and that user would get nothing.
  const start = head.subarray(0, BOM.length).equals(BOM) ? BOM.length : 0;
  if (bytes === start) throw new UsageError(`--uids ${file}: the file is empty`);
  if (offset === 0) uploaded.update(head.subarray(0, start));
  return { bytes, digest: hash.digest('hex'), hash: uploaded, start };
}

/** A file's bytes from an offset on. */
export async function* readBytes(file: string, start = 0): AsyncGenerator<Buffer> {
  for await (const chunk of createReadStream(file, { start, highWaterMark: PART_BYTES })) yield bufferOf(chunk);
}

const bufferOf = (chunk: unknown): Buffer =>
  chunk instanceof Uint8Array ? Buffer.from(chunk) : Buffer.from(String(chunk));

/**
 * Cuts what is read into parts: each is the shortest that has `partBytes` and ends with a line. Where they end follows from
 * the bytes alone, so a resumed upload sends the same parts as the first.
 * @param offset of the first byte in the list
 */
export async function* cutList(
  chunks: AsyncIterable<unknown>,
  partBytes = PART_BYTES,
  offset = 0,
): AsyncGenerator<ListPart> {
  let held = Buffer.alloc(0);
  let end = offset;
  const part = (bytes: Buffer): ListPart => {
    end += bytes.length;
    return { bytes, lines: linesOf(bytes), end };
  };
  for await (const chunk of chunks) {
    held = Buffer.concat([held, bufferOf(chunk)]);
    for (;;) {
      const lineEnd = held.length < partBytes ? -1 : held.indexOf('\n', partBytes - 1);
      if (lineEnd < 0) break;
      yield part(held.subarray(0, lineEnd + 1));
      held = held.subarray(lineEnd + 1);
    }
    if (held.length > partBytes + LONGEST_LINE) throw new UsageError('the list has a line of more than 16 MiB');
  }
  if (held.length > 0) yield part(held);
}

function linesOf(bytes: Buffer): number {
  let lines = bytes.at(-1) === 0x0a ? 0 : 1;
  for (let at = bytes.indexOf('\n'); at >= 0; at = bytes.indexOf('\n', at + 1)) lines++;
  return lines;
}
