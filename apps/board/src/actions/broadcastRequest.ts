import { type BroadcastRequest, textPayload } from '@ruyi/client';
import { z } from 'zod';

/** What the form of the page sends. The API checks its fields; the text becomes the payload that clients show as a text. */
export const broadcastRequest = z
  .object({
    text: z.string(),
    name: z.string().default(''),
    from_uid: z.string().default(''),
    rate: z.number().default(0),
    /** seconds */
    start_at: z.number().default(0),
    client_msg_no: z.string(),
    audience: z
      .union([
        z.object({ known_users: z.literal(true) }),
        z.object({ channel_id: z.string(), channel_type: z.number() }),
      ])
      .optional(),
  })
  .transform(
    ({ text, audience, ...fields }): BroadcastRequest => ({
      ...fields,
      payload: textPayload({ type: 1, content: text }),
      ...(audience ? { audience } : {}),
    }),
  );

/** What the page may say with a start: when it begins instead, in seconds. */
export const startRequest = z.object({ start_at: z.number().optional() }).default({});
