import type { Chunk } from '@ruyi/contracts';
import { atOnce, SLICE, type Sliced } from '@ruyi/flow';
import { type Broadcast, laneOf, recipientShard, refOf } from '@ruyi/store';
import type { BroadcastJob } from './jobs.ts';

const CHUNK_RECIPIENTS = 1000;
const CHUNKS_IN_JOB = 2;

/** A broadcast cut into jobs. The same recipients in the same order always give the same jobs. */
export interface BroadcastPlan {
  ref: string;
  /** the number of lanes that it was cut for. Positions and chunks depend on it, so every repeat must be cut for the same */
  lanes: number;
  jobs: { lane: number; id: string; data: BroadcastJob }[];
  starts: number[];
  /** position of the uid that the request names first */
  firstAt: number;
}

type Planned = Pick<Broadcast, 'cmd'> & { firstId: number; from: string };
interface Layout {
  shards: number;
  lanes: number;
}

/**
 * Sorts recipients by lane, shard and uid, numbers them, and cuts them into chunks of at most 1,000 and jobs of two chunks.
 * @param uids each recipient once
 */
export const planBroadcast = (message: Planned, uids: string[], layout: Layout): BroadcastPlan =>
  atOnce(planInSlices(message, uids, layout));

/** The same as planBroadcast, with a pause after each slice. */
export function* planInSlices(message: Planned, uids: string[], layout: Layout): Sliced<BroadcastPlan> {
  const byShard: string[][] = Array.from({ length: layout.shards }, () => []);
  const shard = recipientShard({ from: message.from, command: message.cmd }, layout.shards);
  for (let i = 0; i < uids.length; ) {
    for (const end = Math.min(i + SLICE, uids.length); i < end; i++) byShard[shard(uids[i] ?? '')]?.push(uids[i] ?? '');
    yield;
  }
  const plan: BroadcastPlan = { ref: refOf(message.firstId), lanes: layout.lanes, jobs: [], starts: [], firstAt: 0 };
  const [firstUid] = uids;
  let position = 0;
  let sorted = 0;
  for (let lane = 0; lane < layout.lanes; lane++) {
    const ofLane: string[][] = [];
    for (const [shard, ofShard] of byShard.entries()) {
      if (laneOf(shard, layout.lanes) !== lane) continue;
      ofLane.push(ofShard.sort());
      sorted += ofShard.length;
      if (sorted < SLICE) continue;
      sorted = 0;
      yield;
    }
    const recipients = ofLane.flat();
    const chunks: Chunk[] = [];
    const size = Math.ceil(recipients.length / Math.ceil(recipients.length / CHUNK_RECIPIENTS));
    for (let i = 0; i < recipients.length; i += size) {
      const part = recipients.slice(i, i + size);
      const firstIndex = firstUid === undefined ? -1 : part.indexOf(firstUid);
      if (firstIndex >= 0) plan.firstAt = position + firstIndex;
      chunks.push({ chunk: plan.starts.length, start: position, uids: part.join('\n') });
      plan.starts.push(position);
      position += part.length;
    }
    for (let i = 0; i < chunks.length; i += CHUNKS_IN_JOB) {
      const part = chunks.slice(i, i + CHUNKS_IN_JOB);
      const first = part[0]?.start ?? 0;
      const count = (chunks[i + CHUNKS_IN_JOB]?.start ?? position) - first;
      plan.jobs.push({
        lane,
        id: `${plan.ref}.${lane}.${i / CHUNKS_IN_JOB}.${count}`,
        data: { ref: plan.ref, from: message.from, ...(message.cmd ? { cmd: 1 } : {}), chunks: part },
      });
    }
  }
  return plan;
}
