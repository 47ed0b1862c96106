import { keys, parseReference, type Store, shardOf } from '@ruyi/store';
import { base64, jobRun, LIMITS, message, type TestStores } from './harness.ts';

export const ROOM = '2:room';
export const SHARD = shardOf(ROOM, LIMITS.shards);
export const OUTBOX = keys.outbox(SHARD);

/** One room, and the outbox of its shard. */
export function testOutbox(redis: TestStores) {
  return {
    /** Stores so many messages in the room, in one job. */
    async store(from: Store, ids: number[], { job = `job-${ids[0]}`, isFull = false, payload = 'hello' } = {}) {
      const items = ids.map((id) => message(id, { payload: base64(payload) }));
      const appender = from.appender('send.0', () => isFull);
      await appender.appendMessages(jobRun(job), items);
      return appender.takeHandedOver();
    },
    /** The seqs that references of the outbox name, or their kind if it is another one. */
    async seqs() {
      const texts = await redis.client.lrange(OUTBOX, 0, -1);
      return texts.map((text) => {
        const reference = parseReference(text);
        return reference.kind === 'message' ? reference.seq : reference.kind;
      });
    },
  };
}
