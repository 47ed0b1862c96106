import { type MessageObject, parseChannelName, personalPair } from '@ruyi/contracts';
import { waitFor } from '@ruyi/testkit';
import { parsePlace, tokenOf } from '../ledger/places.ts';
import type { Http, Method } from '../load/http.ts';
import type { ReadCommand } from '../load/reader.ts';

/** A message as it is stored in a place. */
export interface Stored {
  seq: number;
  id: number;
  /** the request that carried it; undefined if it is none of this run */
  token: number | undefined;
}

const PAGE = 1000;
const AT_ONCE = 12;

/** How the checks ask the API: they repeat a request until it is answered. */
export interface Asking {
  http: Http;
  port: number;
}

export async function ask(
  { http, port }: Asking,
  method: Method,
  path: string,
  body?: object,
): ReturnType<Http['call']> {
  return waitFor(
    async () => {
      const reply = await http.call(port, method, path, body);
      if (reply.status >= 500) throw new Error(`${reply.status} ${JSON.stringify(reply.body)}`);
      return reply;
    },
    { what: `an answer of ${path}`, deadlineMs: 60_000 },
  );
}

/** Everything that is stored in the places, read over HTTP page by page. */
export async function readBack(
  asking: Asking,
  places: Iterable<string>,
  readBefore: Map<string, ReadCommand[]>,
): Promise<Map<string, Stored[]>> {
  const found = new Map<string, Stored[]>();
  const rest = [...places].values();
  const reading = async () => {
    for (const name of rest) {
      const place = parsePlace(name);
      const stored =
        place.kind === 'log'
          ? await readLog(asking, place.channel)
          : await readInbox(asking, place.uid, readBefore.get(place.uid) ?? []);
      found.set(name, stored);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, reading));
  return found;
}

const toStored = ({ message_seq, message_id, payload }: MessageObject): Stored => ({
  seq: message_seq,
  id: message_id,
  token: tokenOf(payload),
});

async function readLog(asking: Asking, channel: string): Promise<Stored[]> {
  const pair = personalPair(channel);
  const { channelType: type, channelId } = parseChannelName(channel);
  const target = pair
    ? { login_uid: pair[0], channel_id: pair[1], channel_type: 1 }
    : { channel_id: channelId, channel_type: type };
  const stored: Stored[] = [];
  for (;;) {
    const { body } = await ask(asking, 'POST', '/channel/messagesync', {
      ...target,
      start_message_seq: (stored.at(-1)?.seq ?? 0) + 1,
      limit: PAGE,
      pull_mode: 1,
    });
    stored.push(...body.messages.map(toStored));
    if (body.more !== 1 || body.messages.length === 0) return stored;
  }
}

/** Reads an inbox without acknowledging: from its user's cursor, which is the start if the user read nothing. */
async function readInbox(asking: Asking, uid: string, before: ReadCommand[]): Promise<Stored[]> {
  const stored: Stored[] = before.map(({ seq, id, payload }) => ({ seq, id, token: tokenOf(payload) }));
  let from = 0;
  for (;;) {
    const { body } = await ask(asking, 'POST', '/message/sync', { uid, limit: PAGE, message_seq: from });
    if (body.length === 0) return stored;
    for (const message of body.map(toStored)) {
      // After a power failure the cursor may be older than what was read.
      if (message.seq > (before.at(-1)?.seq ?? 0)) stored.push(message);
      from = message.seq;
    }
  }
}
