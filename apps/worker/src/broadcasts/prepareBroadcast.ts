import type { MessageBody } from '@ruyi/contracts';
import { eachLimited } from '@ruyi/flow';
import { type BroadcastRecord, firstIdOf, keys, refOf } from '@ruyi/store';
import type { CoordinatorContext } from './coordinatorContext.ts';
import { gatherAudience } from './gatherAudience.ts';

const CHUNK_RECIPIENTS = 1000;
/** Of a broadcast with a slow rate: progress keeps a field for each chunk. */
const MOST_CHUNKS = 100_000;
/** A job of a broadcast with a rate takes at most this part of a second of it. */
const RATED_SHARE = 4;
/** Each holds the recipients of one shard in memory. */
const SHARDS_AT_ONCE = 2;

/**
 * Makes a started broadcast ready: completes what was uploaded, or gathers its audience; drops duplicates shard by shard;
 * leases one block of ids; writes the body once. After this `total` is exact, and the position of each recipient follows
 * from their shard and their place in its list.
 * @returns the broadcast as it is then; undefined if the coordinator must stop
 */
export async function prepareBroadcast(
  context: CoordinatorContext,
  record: BroadcastRecord,
  token: string,
  signal: AbortSignal,
): Promise<BroadcastRecord | undefined> {
  const { store } = context;
  const { no, spec } = record;
  if (spec.audience && !(await gatherAudience(context, record, spec.audience, token, signal))) return undefined;
  await store.recipientLists.mergeAll(no);
  const counts = await countRecipients(context, no, token, signal);
  if (!counts) return undefined;
  const total = counts.reduce((sum, count) => sum + count, 0);
  const chunk = chunkSizeFor(spec.rate, total);
  // Redis may have forgotten what was counted.
  signal.throwIfAborted();
  await store.broadcasts.setCounts(no, new Map(counts.entries()));
  const ref = record.ref ?? refOf(await store.ids.block(Math.max(1, total)));
  if (!(await store.broadcasts.setUp(no, token, { ref }))) return undefined;
  const body = await writeBody(context, record, ref, counts, chunk);
  // It expires if this one has been replaced meanwhile: then all that refers to it may be gone.
  if (!(await store.broadcasts.setUp(no, token))) return undefined;
  await store.bodies.confirm(ref, body);
  signal.throwIfAborted();
  const accepted = spec.audience ? total : record.accepted;
  const fields = { ready: 1, chunk, total, accepted, duplicates: accepted - total };
  if (!(await store.broadcasts.setUp(no, token, fields))) return undefined;
  // A master that dies now must not take away what positions follow from.
  await store.replicas.confirm([keys.about(no), keys.body(ref), ...store.recipientLists.listKeys(no)]);
  return store.broadcasts.read(no);
}

/** @returns how many recipients each shard has, each counted once; undefined if the coordinator must stop */
async function countRecipients(
  { store }: CoordinatorContext,
  no: string,
  token: string,
  signal: AbortSignal,
): Promise<number[] | undefined> {
  const { shards } = store.layout;
  const counts: number[] = new Array(shards.count).fill(0);
  let mayGoOn = true;
  await eachLimited(counts.keys(), SHARDS_AT_ONCE, async (shard) => {
    mayGoOn &&= !signal.aborted && (await store.broadcasts.setUp(no, token));
    if (mayGoOn) counts[shard] = await store.recipientLists.settle(shard, no);
  });
  return mayGoOn ? counts : undefined;
}

function chunkSizeFor(rate: number, total: number): number {
  if (rate === 0) return CHUNK_RECIPIENTS;
  return Math.min(CHUNK_RECIPIENTS, Math.max(1, Math.ceil(rate / RATED_SHARE), Math.ceil(total / MOST_CHUNKS)));
}

async function writeBody(
  { store }: CoordinatorContext,
  { no, spec, startedAt }: BroadcastRecord,
  ref: string,
  counts: number[],
  most: number,
): Promise<MessageBody> {
  const total = counts.reduce((sum, count) => sum + count, 0);
  const body: MessageBody = {
    id: firstIdOf(ref),
    ts: startedAt,
    from: spec.from,
    no: spec.clientMsgNo,
    payload: await store.broadcasts.payload(no),
    ...(spec.header.red_dot ? { red: 1 } : {}),
    ...(spec.setting ? { set: spec.setting } : {}),
    ...(spec.expire ? { exp: spec.expire } : {}),
    ...(spec.topic ? { topic: spec.topic } : {}),
  };
  const cmd = spec.header.sync_once === 1;
  if (total > 0) await store.bodies.write(ref, { body, kind: 'batch', cmd, cut: { counts, most } }, total);
  const refused = { invalid: [], unknown: [] };
  const receipt = { total, toStore: total > 0, createdAt: startedAt, firstAt: 0, refused, from: spec.from };
  await store.progress.open(ref, receipt, true);
  return body;
}
