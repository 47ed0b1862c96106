import { type MessageBody, parseChannelName, personalPair } from '@ruyi/contracts';
import { accessKey } from '../accessKey.ts';
import type { SearchDocument } from '../searchDocument.ts';
import { contentOf } from './content.ts';
import { documentId } from './documentId.ts';
import { writeLocator } from './locator.ts';

/** The document of a message in a log. @param ch the channel's name */
export function messageDocument(ch: string, seq: number, body: MessageBody): SearchDocument {
  return {
    ...contentOf(body),
    ...placeOf(ch, body.from),
    id: documentId.message(body.id),
    order: body.id,
    locator: writeLocator({ ch, seq, id: body.id }),
  };
}

/** Who may find a message: both users of a personal channel; a group's subscribers and the sender. */
function placeOf(ch: string, from: string) {
  const { channelType, channelId } = parseChannelName(ch);
  const sender = accessKey('uid', from);
  const pair = personalPair(ch);
  if (pair) {
    const audience = [...new Set(pair)].map((uid) => accessKey('uid', uid));
    return { audience, from: sender, channel: '', channelId: '', channelType };
  }
  const channel = accessKey('channel', ch);
  const idKey = accessKey('channel_id', channelId);
  return { audience: [channel, sender], from: sender, channel, channelId: idKey, channelType };
}
