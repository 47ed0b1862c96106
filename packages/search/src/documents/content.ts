import type { MessageBody } from '@ruyi/contracts';
import { accessKey } from '../accessKey.ts';
import { textFields } from '../payload/payloadFields.ts';

/** What a document says about its message itself, whoever may find it. */
export function contentOf({ ts, exp, topic, payload }: Pick<MessageBody, 'ts' | 'exp' | 'topic' | 'payload'>) {
  const { text, type } = textFields(payload);
  return {
    topic: topic ? accessKey('topic', topic) : '',
    timestamp: ts,
    expiresAt: exp ? ts + exp : 0,
    text,
    ...(type === undefined ? {} : { payloadType: type }),
  };
}
