import { CHANNEL_TYPE_PERSONAL, type FoundMessage, type Request, type UserSearchAnswer } from '@ruyi/contracts';
import { accessKey, type SearchQuery } from '@ruyi/search';
import type { ApiContext } from '../context.ts';
import { nowSeconds } from '../ingress/messageFields.ts';
import { lookUpHits } from './lookUpHits.ts';
import { presentPayload } from './presentPayload.ts';

/** POST /plugins/wk.plugin.search/usersearch: what a user may see (§2), found by the engine, read from Redis. */
export async function userSearch(context: ApiContext, request: Request<'UserSearch'>): Promise<UserSearchAnswer> {
  const { uid, limit, page } = request;
  const groups = await context.store.channels.groupsOf(uid);
  const found = await context.search.search({
    ...scopeOf(request, groups),
    text: request.payload,
    payloadTypes: request.payload_types,
    ...(request.from_uid === undefined ? {} : { from: accessKey('uid', request.from_uid) }),
    ...(request.topic === '' ? {} : { topic: accessKey('topic', request.topic) }),
    ...(request.channel_type === 0 ? {} : { channelType: request.channel_type }),
    startTime: request.start_time,
    endTime: request.end_time,
    now: nowSeconds(),
    offset: (page - 1) * limit,
    limit,
  });
  const messages = await lookUpHits(context.store, found.hits, { uid, peer: request.channel_id });
  const mode = context.config.searchPayload;
  const shown = messages.map(
    ({ message, channelId }): FoundMessage => ({
      message_id: message.message_id,
      message_idstr: message.message_idstr,
      message_seq: message.message_seq,
      client_msg_no: message.client_msg_no,
      from_uid: message.from_uid,
      channel_id: channelId,
      channel_type: message.channel_type,
      payload: presentPayload(message.payload, request.highlights, request.payload, mode),
      topic: message.topic,
      timestamp: message.timestamp,
    }),
  );
  return { total: found.total, limit, page, messages: shown };
}

/**
 * Which documents may be found at all. Every document has an audience; the query names the audiences that this user
 * belongs to at this moment, so nothing else can be found whatever the other filters say.
 */
function scopeOf(request: Request<'UserSearch'>, groups: string[]): Pick<SearchQuery, 'audience' | 'anyOf' | 'locate'> {
  const { uid, channel_id: channelId, channel_type: type } = request;
  const me = accessKey('uid', uid);
  const groupKey = (name: string) => accessKey('channel', name);
  if (channelId === undefined) return { audience: [me, ...groups.map(groupKey)], locate: [me] };
  const peer = accessKey('uid', channelId);
  // A batch lists its recipients only: its sender finds it by naming one of them.
  const personal = [
    { from: peer, audience: me, channelType: CHANNEL_TYPE_PERSONAL },
    { from: me, audience: peer, channelType: CHANNEL_TYPE_PERSONAL },
  ];
  const locate = [me, peer];
  if (type === CHANNEL_TYPE_PERSONAL) return { audience: [me, peer], anyOf: personal, locate };
  const sameId = groups.filter((name) => name.slice(name.indexOf(':') + 1) === channelId);
  const own = sameId.filter((name) => type === 0 || name === `${type}:${channelId}`).map(groupKey);
  const inGroups = [
    ...own.map((channel) => ({ channel })),
    { channelId: accessKey('channel_id', channelId), audience: me },
  ];
  if (type !== 0) return { audience: [me, ...own], anyOf: inGroups, locate };
  return { audience: [me, peer, ...own], anyOf: [...personal, ...inGroups], locate };
}
