/** The payload field that nearly every message has and nearly every search asks for. */
export const CONTENT_FIELD = 'content';

/** One message, or up to 1,000 recipients of a broadcast. It never changes: the same id always means the same document. */
export interface SearchDocument {
  /** `[A-Za-z0-9-]`, unique: `m<message_id>`, `<ref>-<chunk>`, or `<ref>-r<position>` of a late recipient */
  id: string;
  /**
   * who may see it: both uids of a personal message; the channel and the sender of a group message; the recipients of a
   * broadcast, in order, '' for one whose copy is gone
   */
  audience: string[];
  /** accessKey of the sender's uid */
  from: string;
  /** accessKey of the group (type and id); '' for personal messages */
  channel: string;
  /** accessKey of the channel_id alone, for a query without a type; '' for personal messages */
  channelId: string;
  channelType: number;
  /** accessKey of the topic; '' if there is none */
  topic: string;
  /** the payload's top-level `type`, if it is a whole number */
  payloadType?: number;
  /** seconds */
  timestamp: number;
  /** seconds; 0 means never */
  expiresAt: number;
  /** orders messages of the same second: the message_id */
  order: number;
  /** top-level string fields of the payload: name → text */
  text: Record<string, string>;
  /** says where the message is in Redis; returned with a hit unchanged */
  locator: string;
}

/** A document that the engine refused; the rest of its batch is indexed. */
export interface RefusedDocument {
  id: string;
  reason: string;
}
