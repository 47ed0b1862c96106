import { type BroadcastRecord, cutShard, type RecipientClaim, type Store } from '@ruyi/store';

const CHUNKS_IN_JOB = 2;

/** The next recipients of a shard, and their uids. */
export interface NextRecipients extends RecipientClaim {
  /** of the first of them in its shard */
  index: number;
  uids: string[];
}

interface ShardCursor {
  shard: number;
  count: number;
  size: number;
  firstChunk: number;
  firstPosition: number;
  index: number;
  offset: number;
}

/** How far each shard of a broadcast was handed out. */
export class ShardCursors {
  readonly #store: Store;
  readonly #no: string;
  readonly #perJob: number;
  #cursors: ShardCursor[];

  private constructor(store: Store, { no, spec }: BroadcastRecord, cursors: ShardCursor[]) {
    this.#store = store;
    this.#no = no;
    this.#perJob = spec.rate > 0 ? 1 : CHUNKS_IN_JOB;
    this.#cursors = cursors.filter(({ index, count }) => index < count);
  }

  static async of(store: Store, record: BroadcastRecord): Promise<ShardCursors> {
    const [counts, reached] = await Promise.all([
      store.broadcasts.counts(record.no),
      store.broadcasts.cursors(record.no),
    ]);
    let [firstChunk, firstPosition] = [0, 0];
    const cursors = Array.from({ length: store.layout.shards.count }, (_, shard) => {
      const count = counts.get(shard) ?? 0;
      const { size, chunks } = cutShard(count, record.chunk);
      const cursor = { shard, count, size, firstChunk, firstPosition, index: 0, offset: 0, ...reached.get(shard) };
      firstChunk += chunks;
      firstPosition += count;
      return cursor;
    });
    return new ShardCursors(store, record, cursors);
  }

  /** Everything is handed out. */
  get isDone(): boolean {
    return this.#cursors.length === 0;
  }

  /** The next recipients of one of these shards, for one job; undefined if these shards are done. */
  async next(isWanted: (shard: number) => boolean): Promise<NextRecipients | undefined> {
    const cursor = this.#cursors.find(({ shard }) => isWanted(shard));
    if (!cursor) return undefined;
    const { shard, index, offset, size } = cursor;
    const count = Math.min(cursor.count - index, this.#perJob * size);
    const { uids, length } = await this.#store.recipientLists.read(shard, this.#no, offset, count);
    const chunk = cursor.firstChunk + index / size;
    return { shard, index, offset, length, count, uids, chunk, start: cursor.firstPosition + index, size };
  }

  /** These recipients are handed out. */
  advance({ shard, index, count, offset, length }: NextRecipients): void {
    const cursor = this.#cursors.find((known) => known.shard === shard);
    if (!cursor) return;
    cursor.index = index + count;
    cursor.offset = offset + length;
    if (cursor.index >= cursor.count) this.#cursors = this.#cursors.filter((other) => other !== cursor);
    // Shards of a lane take turns, so that none of them is served last.
    else this.#cursors = [...this.#cursors.filter((other) => other !== cursor), cursor];
  }
}
