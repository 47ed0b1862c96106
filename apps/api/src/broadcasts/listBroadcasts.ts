import type { BroadcastAnswer, BroadcastListAnswer, Request } from '@ruyi/contracts';
import { SYSTEM_UID } from '@ruyi/contracts';
import { batchByNo, broadcastByNo, type Store } from '@ruyi/store';

/** Broadcasts that are looked at together. */
const PAGE = 50;
/** How many a request looks at at most: with a filter its page may be shorter than its limit. */
const MOST_LOOKED_AT = 2000;

/** Broadcasts and large batches, newest first. The page ends with the cursor of its last one, '' at the end of all. */
export async function listBroadcasts(store: Store, request: Request<'BroadcastsQuery'>): Promise<BroadcastListAnswer> {
  const { limit } = request;
  const broadcasts: BroadcastAnswer[] = [];
  let { cursor } = request;
  for (let looked = 0; looked < MOST_LOOKED_AT; looked += PAGE) {
    const page = await store.broadcastList.page(cursor, PAGE);
    const answers = await Promise.all(page.map(({ no, isBatch }) => read(store, no, isBatch)));
    for (const [i, answer] of answers.entries()) {
      cursor = page[i]?.no ?? cursor;
      if (answer && isWanted(answer, request)) broadcasts.push(answer);
      const isLast = i === page.length - 1 && page.length < PAGE;
      if (broadcasts.length === limit) return { broadcasts, cursor: isLast ? '' : cursor };
    }
    if (page.length < PAGE) return { broadcasts, cursor: '' };
  }
  return { broadcasts, cursor };
}

async function read(store: Store, no: string, isBatch: boolean): Promise<BroadcastAnswer | undefined> {
  if (!isBatch) return broadcastByNo(store, no);
  const batch = await batchByNo(store, no);
  // Its progress has gone by itself.
  if (!batch) await store.broadcastList.removeBatch(no);
  return batch;
}

function isWanted({ state, from_uid }: BroadcastAnswer, wanted: Request<'BroadcastsQuery'>): boolean {
  if (wanted.state !== undefined && state !== wanted.state) return false;
  return wanted.from_uid === undefined || (from_uid || SYSTEM_UID) === wanted.from_uid;
}
