/** One document: a message, or up to 1,000 recipients of a broadcast. Immutable: the same id always means the same. */
export interface SearchDocument {
  /** `[A-Za-z0-9-]`, unique: `m<message_id>`, `<ref>-<chunk>`, or `<ref>-r<position>` of a late recipient */
  id: string;
  /**
   * who may see it: personal → both uids; group → the channel and the sender; broadcast → recipients, in
   * order, '' for one whose copy is gone */
  audience: string[];
  /** accessKey of the sender's uid */
  from: string;
  /** accessKey of the group (type and id); '' for personal messages */
  channel: string;
  /** accessKey of the channel_id alone, for a query without a type; '' for personal messages */
  channelId: string;
  channelType: number;
  /** accessKey of the topic, '' without one */
  topic: string;
  /** the payload's top-level `type`, where it is a whole number */
  payloadType?: number;
  /** seconds */
  timestamp: number;
  /** seconds; 0 never */
  expiresAt: number;
  /** orders messages of the same second: the message_id */
  order: number;
  /** top-level string fields of the payload: name → text */
  text: Record<string, string>;
  /** given back with a hit as it is; says where the message is in Redis */
  locator: string;
}

/** A document that the engine refused; the others of the batch are indexed. */
export interface RefusedDocument {
  id: string;
  reason: string;
}

/** The payload field that nearly every message has and nearly every search is in. */
export const CONTENT_FIELD = 'content';
