import { createHash } from 'node:crypto';
import { IdempotencyConflictError, type MessageHeader } from '@ruyi/contracts';
import { SLICE, type Sliced } from '@ruyi/flow';
import { digestOf, type IdemRecord, isSameRequest, shortDigest } from '@ruyi/store';

/** The fields that a repeat must have in common with the first request, beside its key (docs/api.md §2, Idempotency). */
export interface RepeatedFields {
  header: MessageHeader;
  setting: number;
  topic: string;
  expire: number;
  stream_no?: string | undefined;
  /** canonical base64 */
  payload: string;
}

/** All fields as text. Two different requests give two different texts. */
function textOf({ header, setting, topic, expire, stream_no = '', payload }: RepeatedFields): string {
  const { no_persist, red_dot, sync_once } = header;
  return JSON.stringify([no_persist, red_dot, sync_once, setting, topic, expire, stream_no, payload]);
}

/** Digest of a message to one channel. */
export const messageDigest = (message: RepeatedFields): string => digestOf(textOf(message));

/** Digest of a message to many. @param recipients every string of `subscribers` once, sorted */
export function* batchDigest(message: RepeatedFields, recipients: string[]): Sliced<string> {
  const hash = createHash('sha256').update(textOf(message));
  // As JSON: an invalid uid may hold lone surrogates, which are all the same in plain UTF-8.
  for (let i = 0; i < recipients.length; i += SLICE) {
    hash.update(JSON.stringify(recipients.slice(i, i + SLICE)));
    yield;
  }
  return shortDigest(hash);
}

/** The digest that earlier versions kept of a batch that was not queued yet: of its recipients and two flags only. */
export function formerFingerprint({ sync_once, no_persist }: MessageHeader, recipients: string[]): string {
  const hash = createHash('sha256').update(`${sync_once}${no_persist}\n`);
  for (const uid of recipients) hash.update(`${uid}\n`);
  return shortDigest(hash);
}

/** @throws IdempotencyConflictError if the record belongs to another request than the one with this digest */
export function requireSameRequest(record: IdemRecord | undefined, digest: string): void {
  if (record && !isSameRequest(record.digest, digest)) throw otherRequest();
}

export const otherRequest = () =>
  new IdempotencyConflictError(
    'client_msg_no: an earlier request with this number was another one; repeat that one as it was, or choose a new number',
  );
