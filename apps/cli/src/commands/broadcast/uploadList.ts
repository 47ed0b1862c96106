import type { Hash } from 'node:crypto';
import type { InvalidLine, PartAnswer, RuyiClient } from '@ruyi/client';
import { printable } from '../../terminal/formats.ts';
import { UsageError } from '../../usageError.ts';
import type { ProgressView } from './progress.ts';
import { cutList, readBytes } from './recipientList.ts';
import { type UploadState, writeState } from './uploadState.ts';

interface Upload {
  client: RuyiClient;
  view: ProgressView;
  signal: AbortSignal;
  /** told of each line that names no recipient, with its number in the list */
  onInvalid(line: InvalidLine): void;
}

const MOST_SHOWN = 20;

/** Keeps the first invalid lines of a list, and shows them when the bar is gone. */
export class InvalidLines {
  readonly #lines: InvalidLine[] = [];
  #more = 0;
  add(line: InvalidLine): void {
    if (this.#lines.length < MOST_SHOWN) this.#lines.push(line);
    else this.#more++;
  }
  show(say: (line: string) => void): void {
    for (const { line, uid, reason } of this.#lines) say(`line ${line}: ${printable(reason)}: ${printable(uid)}`);
    if (this.#more > 0) say('more invalid lines are not shown');
  }
}

/** Numbers of the part's lines become numbers of the list's. */
function reportInvalid({ invalid }: PartAnswer, linesBefore: number, onInvalid: Upload['onInvalid']): void {
  for (const one of invalid) onInvalid({ ...one, line: linesBefore + one.line });
}

/**
 * Uploads what the API does not have of a list, and notes each part that it has.
 * @param hash of the bytes before `state.offset`
 * @throws UsageError if the list is not the one that was inspected; then nothing may be started
 */
export async function uploadFile(file: string, begun: UploadState, hash: Hash, upload: Upload): Promise<void> {
  const { client, view, signal, onInvalid } = upload;
  let state = begun;
  const { broadcast_no, list } = state;
  for await (const { bytes, lines, end } of cutList(readBytes(file, state.offset), state.part_bytes, state.offset)) {
    const part = { broadcast_no, part: state.parts, lines: bytes };
    const answer = await client.uploadRecipients(part, { signal });
    hash.update(bytes);
    reportInvalid(answer, state.lines, onInvalid);
    state = { ...state, parts: state.parts + 1, offset: end, lines: state.lines + lines };
    writeState(file, state);
    view.upload(end, list.bytes, { recipients: state.lines });
  }
  if (hash.digest('hex') !== list.digest)
    throw new UsageError(`--uids ${file}: the list changed while it was uploaded`);
}

/** Uploads standard input to its end. */
export async function uploadStream(
  input: AsyncIterable<unknown>,
  broadcast_no: string,
  { client, view, signal, onInvalid }: Upload,
): Promise<void> {
  let [part, read] = [0, 0];
  for await (const { bytes, lines, end } of cutList(input)) {
    signal.throwIfAborted();
    const answer = await client.uploadRecipients({ broadcast_no, part: part++, lines: bytes }, { signal });
    reportInvalid(answer, read, onInvalid);
    read += lines;
    view.upload(end, undefined, { recipients: read });
  }
  if (part === 0) throw new UsageError('--uids -: standard input is empty');
}
