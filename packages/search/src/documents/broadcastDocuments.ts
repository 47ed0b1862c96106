import { CHANNEL_TYPE_PERSONAL, type Chunk, type MessageBody } from '@ruyi/contracts';
import { accessKey } from '../accessKey.ts';
import type { SearchDocument } from '../searchDocument.ts';
import { contentOf } from './content.ts';
import { documentId } from './documentId.ts';
import { writeLocator } from './locator.ts';

/**
 * One document for up to 1,000 recipients: indexing a broadcast costs its chunks, not its recipients.
 * @param body of the broadcast, with its first message_id
 * @param chunk an empty uid stands for a recipient who must not find it here
 */
export function chunkDocument(
  ref: string,
  body: MessageBody,
  { chunk, start, uids }: Pick<Chunk, 'chunk' | 'start' | 'uids'>,
): SearchDocument {
  return {
    ...sharedPart(ref, body, start),
    id: documentId.chunk(ref, chunk),
    audience: uids
      .replace(/\n+$/, '')
      .split('\n')
      .map((uid) => (uid === '' ? '' : accessKey('uid', uid))),
  };
}

/** The document of a late recipient, whom the first try could not serve. */
export function lateRecipientDocument(
  ref: string,
  body: MessageBody,
  { uid, position }: { uid: string; position: number },
): SearchDocument {
  return {
    ...sharedPart(ref, body, position),
    id: documentId.lateRecipient(ref, position),
    audience: [accessKey('uid', uid)],
  };
}

/** @param start position of the first recipient in the audience */
const sharedPart = (ref: string, body: MessageBody, start: number) => ({
  ...contentOf(body),
  from: accessKey('uid', body.from),
  channel: '',
  channelId: '',
  channelType: CHANNEL_TYPE_PERSONAL,
  order: body.id + start,
  locator: writeLocator({ ref, start, from: body.from }),
});
