import { type MessageObject, parseChannelName, personalPair, SYSTEM_UID } from '@ruyi/contracts';
import { accessKey, readLocator, type SearchEngine, type SearchHit } from '@ruyi/search';
import { firstIdOf, type Store } from '@ruyi/store';
import { type Finding, fail, ok } from './finding.ts';

/** A message is queued for the indexer within milliseconds of being stored. */
const SETTLED_SECONDS = 5;
const MOST_HITS = 1000;

/** What is compared: a message in a log, and which channel it is in. */
interface Sampled {
  channel: string;
  message: MessageObject;
}

/**
 * Whether messages of some logs are in the search index.
 * @param waiting jobs that wait for the indexer: what they hold is not there yet
 */
export async function indexFinding(
  store: Store,
  engine: SearchEngine,
  { channels, waiting }: { channels: string[]; waiting: number },
): Promise<Finding> {
  if (waiting > 0) return ok('index', `not compared with the logs: ${waiting} jobs wait to be indexed`);
  const now = await store.now();
  const sampled: Sampled[] = [];
  for (const channel of channels) {
    const message = await newestMessage(store, channel);
    if (message !== undefined && message.timestamp < now - SETTLED_SECONDS) sampled.push({ channel, message });
  }
  const missing: Sampled[] = [];
  for (const one of sampled) if (!(await isIndexed(engine, one, now))) missing.push(one);
  const [first] = missing;
  if (first === undefined) return ok('index', `${sampled.length} messages of as many logs are in the index`);
  const place = `message_seq ${first.message.message_seq} of channel ${first.channel}`;
  return fail('index', {
    message: `${missing.length} of ${sampled.length} messages that were looked for are not in the search index, such as ${place}`,
    fix: 'ruyi reindex rebuilds it from Redis while the old one serves',
  });
}

async function newestMessage(store: Store, channel: string): Promise<MessageObject | undefined> {
  const { channelType, channelId } = parseChannelName(channel);
  const pair = personalPair(channel);
  const name = pair ? { login_uid: pair[0], channel_id: pair[1] } : { channel_id: channelId };
  const range = { start: 0, end: 0, limit: 1, pullMode: 0 } as const;
  // A damaged log is a finding of whoever reads it.
  const page = await store.logs.read({ ...name, channel_type: channelType }, range).catch(() => undefined);
  return page?.messages[0];
}

/** Looks for a message among those of its sender in its channel in its second. */
async function isIndexed(engine: SearchEngine, { channel, message }: Sampled, now: number): Promise<boolean> {
  const pair = personalPair(channel);
  const audience = pair ? pair.map((uid) => accessKey('uid', uid)) : [accessKey('channel', channel)];
  const { hits } = await engine.search({
    audience,
    text: {},
    payloadTypes: [],
    from: accessKey('uid', message.from_uid || SYSTEM_UID),
    startTime: message.timestamp,
    endTime: message.timestamp,
    now,
    offset: 0,
    limit: MOST_HITS,
    locate: audience,
  });
  return hits.length === MOST_HITS || hits.some((hit) => isHit(hit, message.message_id));
}

function isHit({ locator, positions }: SearchHit, id: number): boolean {
  const place = readLocator(locator);
  if (place === undefined) return false;
  if ('id' in place) return place.id === id;
  return positions.some((position) => position >= 0 && firstIdOf(place.ref) + place.start + position === id);
}
