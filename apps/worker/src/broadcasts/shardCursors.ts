import { type BroadcastRecord, cutShard, type RecipientClaim, type Store } from '@ruyi/store';

const CHUNKS_IN_JOB = 2;
/** A job of a small broadcast has recipients of several shards. */
const SHARDS_IN_JOB = 32;

/** The next recipients of a shard for one job, and their uids. */
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
  /** chunks of one shard, and recipients, that a job has at most */
  readonly #perJob: number;
  readonly #most: number;
  #cursors: ShardCursor[];

  private constructor(store: Store, { no, spec, chunk }: BroadcastRecord, cursors: ShardCursor[]) {
    this.#store = store;
    this.#no = no;
    this.#perJob = spec.rate > 0 ? 1 : CHUNKS_IN_JOB;
    this.#most = this.#perJob * chunk;
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

  /**
   * The next recipients for one job, of as many of these shards as it has room for: each job costs as much as many recipients.
   * @returns none if these shards are done
   */
  async next(isWanted: (shard: number) => boolean): Promise<NextRecipients[]> {
    const claims: Omit<NextRecipients, 'uids' | 'length'>[] = [];
    let room = this.#most;
    for (const { shard, count, size, firstChunk, firstPosition, index, offset } of this.#cursors) {
      if (!isWanted(shard)) continue;
      if (claims.length === SHARDS_IN_JOB) break;
      const wanted = Math.min(count - index, this.#perJob * size);
      // What there is no room for is cut where a chunk ends.
      const taken = wanted <= room ? wanted : Math.floor(room / size) * size;
      if (taken === 0) continue;
      room -= taken;
      const [chunk, start] = [firstChunk + index / size, firstPosition + index];
      claims.push({ shard, index, offset, count: taken, chunk, start, size });
    }
    return Promise.all(
      claims.map(async (claim) => {
        const { shard, offset, count } = claim;
        return { ...claim, ...(await this.#store.recipientLists.read(shard, this.#no, offset, count)) };
      }),
    );
  }

  /** These recipients are handed out. */
  advance(claims: NextRecipients[]): void {
    const reached = new Map(claims.map((claim) => [claim.shard, claim]));
    const others = this.#cursors.filter(({ shard }) => !reached.has(shard));
    const moved = this.#cursors.flatMap((cursor) => {
      const claim = reached.get(cursor.shard);
      return claim ? [{ ...cursor, index: claim.index + claim.count, offset: claim.offset + claim.length }] : [];
    });
    // Shards of a lane take turns, so that none of them is served last.
    this.#cursors = [...others, ...moved.filter(({ index, count }) => index < count)];
  }
}
