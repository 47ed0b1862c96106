import { channelName, SYSTEM_UID } from '@ruyi/contracts';
import { eachLimited } from '@ruyi/flow';
import { type Audience, type BroadcastRecord, recipientShard } from '@ruyi/store';
import type { CoordinatorContext } from './coordinatorContext.ts';

/** The frozen subscribers of a channel are kept as long as a gathering may be interrupted. */
const FROZEN_SECONDS = 7 * 86_400;
const APPENDS_IN_FLIGHT = 16;

/**
 * Copies an audience into the lists of its broadcast, one source shard after the other. Gathered again, a shard adds the
 * same recipients once more, and they count once in the end.
 * @returns false if the coordinator must stop
 */
export async function gatherAudience(
  { store }: CoordinatorContext,
  { no, spec, gathered }: BroadcastRecord,
  audience: Audience,
  token: string,
  signal: AbortSignal,
): Promise<boolean> {
  const { count, tags } = store.layout.shards;
  const isCommand = spec.header.sync_once === 1;
  const shardFor = recipientShard({ from: spec.from, command: isCommand }, count);
  const channel = 'channel_id' in audience ? channelName(audience.channel_type, audience.channel_id) : undefined;
  const frozen = channel === undefined ? [] : await store.channels.freeze(channel, no, FROZEN_SECONDS);
  for (let source = gathered; source < count; source++) {
    if (signal.aborted) return false;
    const pages =
      channel === undefined
        ? store.users.all(source)
        : [await store.channels.frozen(tags[source] ?? '', no, frozen[source]?.count ?? 0)];
    const packed = new Map<number, string[]>();
    for await (const page of pages) {
      for (const uid of page) {
        // The system user has no inbox.
        if (isCommand && uid === SYSTEM_UID) continue;
        const shard = shardFor(uid);
        const list = packed.get(shard);
        if (list) list.push(uid);
        else packed.set(shard, [uid]);
      }
    }
    await eachLimited(packed, APPENDS_IN_FLIGHT, async ([shard, uids]) => {
      await store.recipientLists.append(shard, no, `${uids.join('\n')}\n`);
    });
    if (!(await store.broadcasts.setUp(no, token, { gathered: source + 1 }))) return false;
  }
  if (channel !== undefined) await store.channels.unfreeze(no);
  return true;
}
