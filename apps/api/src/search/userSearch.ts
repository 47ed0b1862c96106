import { CHANNEL_TYPE_PERSONAL, parseChannelName, type Request } from '@ruyi/contracts';
import { accessKey, type SearchQuery } from '@ruyi/search';
import type { ApiContext } from '../context.ts';
import { type Page, readPage } from './readPage.ts';

/** A line of the log names at most this many damaged channels. */
const MOST_NAMED = 10;
const COMMA = Buffer.from(',');

/**
 * Serves POST /plugins/wk.plugin.search/usersearch: finds with the engine what a user may see (docs/api.md §2), and reads it
 * from Redis. A search keeps its search process until its page is read, so there are never more pages in memory than
 * search processes.
 * @returns a UserSearchAnswer as JSON in UTF-8
 * @throws SearchUnavailableError
 */
export async function userSearch(context: ApiContext, request: Request<'UserSearch'>): Promise<Buffer> {
  const { store, search, config, log } = context;
  const { uid, limit, page, highlights, payload: text } = request;
  const query = queryOf(request, await store.channels.groupsOf(uid), await store.now());
  const damaged = new Map<string, unknown>();
  const answer = await search.run(uid, async (turn) => {
    const { total, hits } = await turn.search(query);
    const source = {
      store,
      turn,
      presentation: { highlights, text, mode: config.searchPayload },
      maxPayloadBytes: config.maxPayloadBytes,
      onDamaged: (channel: string, error: unknown) => void damaged.set(channel, error),
    };
    return answerJson({ total, limit, page }, await readPage(source, hits, { uid, peer: request.channel_id }));
  });
  if (damaged.size > 0) {
    const [err] = damaged.values();
    log.warn({ channels: [...damaged.keys()].slice(0, MOST_NAMED), err }, 'hits in damaged logs were left out');
  }
  return answer;
}

function answerJson(counts: { total: number; limit: number; page: number }, { messages, truncated }: Page): Buffer {
  const parts: Buffer[] = [Buffer.from(`${JSON.stringify(counts).slice(0, -1)},"messages":[`)];
  messages.forEach((message, i) => {
    if (i > 0) parts.push(COMMA);
    parts.push(message);
  });
  parts.push(Buffer.from(truncated ? '],"truncated":true}' : ']}'));
  return Buffer.concat(parts);
}

function queryOf(request: Request<'UserSearch'>, groups: string[], now: number): SearchQuery {
  const { limit, page } = request;
  return {
    ...scopeOf(request, groups),
    text: request.payload,
    payloadTypes: request.payload_types,
    ...(request.from_uid === undefined ? {} : { from: accessKey('uid', request.from_uid) }),
    ...(request.topic === '' ? {} : { topic: accessKey('topic', request.topic) }),
    ...(request.channel_type === 0 ? {} : { channelType: request.channel_type }),
    startTime: request.start_time,
    endTime: request.end_time,
    now,
    offset: (page - 1) * limit,
    limit,
  };
}

/**
 * Which documents may be found at all. Every document has an audience, and the query names the audiences that the user
 * belongs to at this moment. So nothing else can be found, whatever the other filters say.
 */
function scopeOf(request: Request<'UserSearch'>, groups: string[]): Pick<SearchQuery, 'audience' | 'anyOf' | 'locate'> {
  const { uid, channel_id: channelId, channel_type: type } = request;
  const me = accessKey('uid', uid);
  const groupKey = (name: string) => accessKey('channel', name);
  if (channelId === undefined) return { audience: [me, ...groups.map(groupKey)], locate: [me] };
  const peer = accessKey('uid', channelId);
  // The audience of a batch is its recipients only. Its sender finds it by naming one of them.
  const personal = [
    { from: peer, audience: me, channelType: CHANNEL_TYPE_PERSONAL },
    { from: me, audience: peer, channelType: CHANNEL_TYPE_PERSONAL },
  ];
  const locate = [me, peer];
  if (type === CHANNEL_TYPE_PERSONAL) return { audience: [me, peer], anyOf: personal, locate };
  const sameId = groups.filter((name) => parseChannelName(name).channelId === channelId);
  const groupKeys = sameId.filter((name) => type === 0 || name === `${type}:${channelId}`).map(groupKey);
  const inGroups = [
    ...groupKeys.map((channel) => ({ channel })),
    { channelId: accessKey('channel_id', channelId), audience: me },
  ];
  if (type !== 0) return { audience: [me, ...groupKeys], anyOf: inGroups, locate };
  return { audience: [me, peer, ...groupKeys], anyOf: [...personal, ...inGroups], locate };
}
