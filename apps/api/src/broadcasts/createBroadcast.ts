import { InvalidRequestError, OverloadedError, type Request } from '@ruyi/contracts';
import { type BroadcastSpec, digestOf, idemHash, keys, refOf, shardOf } from '@ruyi/store';
import type { ApiContext } from '../context.ts';
import { clientMsgNo } from '../ingress/messageFields.ts';
import { requireSameRequest } from '../ingress/requestDigest.ts';
import { requireReplicas, requireUnbrokenConnection } from '../ingress/unbrokenConnection.ts';

const YEAR_SECONDS = 366 * 86_400;
/** Names the records of creations: their client_msg_no does not count for messages. */
const SCOPE = 'broadcasts';

/**
 * Creates a broadcast (docs/api.md §4). With a client_msg_no that is known it is the one of the first request.
 * @throws IdempotencyConflictError; OverloadedError if too many are open
 */
export async function createBroadcast(
  { store, config, admission }: ApiContext,
  request: Request<'BroadcastCreate'>,
): Promise<{ no: string; isReplayed: boolean }> {
  const losses = store.connectionLosses();
  admission.requireFreeMemory();
  const ts = await store.now();
  requireSoon(request.start_at, ts);
  const proposed = { id: await store.ids.one(), ts, digest: digestOfCreation(request) };
  const shard = shardOf(request.from_uid, store.layout.shards);
  const hash = idemHash([SCOPE, request.from_uid], request.client_msg_no);
  const hasKey = request.client_msg_no !== '';
  const record = hasKey ? await store.idempotency.claim(shard, hash, proposed) : undefined;
  requireSameRequest(record, proposed.digest);
  const no = refOf(record?.id ?? proposed.id);
  if (record?.state === 'queued') return { no, isReplayed: true };
  await store.broadcasts.create(no, specOf(request), request.payload);
  if (!(await store.broadcastList.add(no, config.maxOpenBroadcasts))) {
    throw new OverloadedError(`${config.maxOpenBroadcasts} broadcasts may be open at once; start or cancel some`, 5);
  }
  await store.broadcasts.persist(no);
  if (hasKey) await store.idempotency.markQueued(shard, hash, record ?? proposed);
  requireUnbrokenConnection(store, losses);
  await requireReplicas(store, [keys.about(no), keys.broadcasts], losses);
  return { no, isReplayed: record !== undefined };
}

/** @throws InvalidRequestError if it begins too late, as whoever writes milliseconds would have it */
export function requireSoon(startAt: number, now: number): void {
  if (startAt <= now + YEAR_SECONDS) return;
  throw new InvalidRequestError([{ path: 'start_at', message: 'is more than a year away; it is in seconds' }]);
}

const specOf = (request: Request<'BroadcastCreate'>): BroadcastSpec => ({
  name: request.name,
  from: request.from_uid,
  header: request.header,
  setting: request.setting,
  topic: request.topic,
  expire: request.expire,
  clientMsgNo: clientMsgNo(request.client_msg_no),
  rate: request.rate,
  startAt: request.start_at,
  ...(request.audience ? { audience: request.audience } : {}),
});

function digestOfCreation({ client_msg_no: _, from_uid: __, ...rest }: Request<'BroadcastCreate'>): string {
  const { name, header, setting, payload, topic, expire, rate, start_at, audience } = rest;
  const { red_dot, sync_once } = header;
  return digestOf(
    JSON.stringify([name, red_dot, sync_once, setting, payload, topic, expire, rate, start_at, audience ?? 0]),
  );
}
