import { once } from 'node:events';
import type { Readable, Writable } from 'node:stream';

/** Written to the stream together. */
const CHARACTERS_AT_ONCE = 64 * 1024;
/** No export has longer ones: the largest payload, in base64, with room to spare. */
const LONGEST_LINE = 128 * 1024 * 1024;

/**
 * Writes values as JSON, one per line, as fast as the stream takes them.
 * @throws the error of the stream
 */
export async function writeLines(values: AsyncIterable<unknown>, stream: Writable): Promise<void> {
  let failure: Error | undefined;
  const failed = (error: Error) => {
    failure = error;
  };
  stream.on('error', failed);
  let waiting = '';
  const flush = async () => {
    const isFull = !stream.write(waiting);
    waiting = '';
    // It rejects with the error of the stream.
    if (isFull && failure === undefined) await once(stream, 'drain');
    if (failure !== undefined) throw failure;
  };
  for await (const value of values) {
    waiting += `${JSON.stringify(value)}\n`;
    if (waiting.length >= CHARACTERS_AT_ONCE) await flush();
  }
  if (waiting !== '') await flush();
  // A write calls back once everything before it is written, or has failed.
  await new Promise<void>((resolve) => stream.write('', () => resolve()));
  if (failure !== undefined) throw failure;
}

/** The lines of a stream of UTF-8, without their ends. An unfinished last line counts as one. */
export async function* readLines(stream: Readable): AsyncGenerator<string> {
  stream.setEncoding('utf8');
  /** of the line that is not complete yet */
  let parts: string[] = [];
  let length = 0;
  for await (const chunk of stream) {
    const [first = '', ...rest] = String(chunk).split('\n');
    parts.push(first);
    length += first.length;
    if (length > LONGEST_LINE) throw new Error('a line is longer than any line of an export');
    for (const next of rest) {
      yield parts.join('');
      parts = [next];
      length = next.length;
    }
  }
  const last = parts.join('');
  if (last !== '') yield last;
}
