import { BATCH_REASON_UNKNOWN, isName, type MessageHeader, SYSTEM_UID } from '@ruyi/contracts';
import { inSlices, SLICE, type Sliced } from '@ruyi/flow';
import type { Refused } from '@ruyi/store';
import type { ApiContext } from '../context.ts';

/** Why a string of the request gets nothing: it is not a uid that can receive, or the uid is not registered. */
export type Refusal = 'invalid' | 'unknown';

/** Who is refused and why: in request order, each once. */
export type RefusedRecipients = Map<string, Refusal>;

/** The recipients of a message to many, and the strings that are none. */
export interface Recipients {
  /** every string of the request once, in its order */
  unique: Set<string>;
  /** those that are uids and can receive, registered or not; in request order */
  valid: string[];
  /** who gets the message */
  uids: string[];
  /** everybody else */
  refused: RefusedRecipients;
}

/** Whether the uid can receive the message; the system user has no inbox. */
const canReceive = (uid: string, header: MessageHeader) =>
  isName(uid) && !(header.sync_once === 1 && uid === SYSTEM_UID);

/** @param requireKnown whether users that /user/token never registered are refused */
export async function sortOutRecipients(
  { store }: ApiContext,
  { subscribers, header }: { subscribers: string[]; header: MessageHeader },
  requireKnown: boolean,
): Promise<Recipients> {
  const { unique, valid, refused } = await inSlices(subscribers.length, lookThrough(subscribers, header));
  const unknown = requireKnown ? await store.users.unknown(valid) : new Set<string>();
  if (unknown.size === 0) return { unique, valid, uids: valid, refused };
  return { unique, valid, ...(await inSlices(unique.size, refuseUnknown(unique, unknown, refused))) };
}

function* lookThrough(subscribers: string[], header: MessageHeader): Sliced<Omit<Recipients, 'uids'>> {
  const unique = new Set<string>();
  const valid: string[] = [];
  const refused = new Map<string, Refusal>();
  for (let i = 0; i < subscribers.length; ) {
    for (const end = Math.min(i + SLICE, subscribers.length); i < end; i++) {
      const uid = subscribers[i] ?? '';
      const before = unique.size;
      // add() and a comparison of sizes look into the set once, has() and add() twice.
      if (unique.add(uid).size === before) continue;
      if (canReceive(uid, header)) valid.push(uid);
      else refused.set(uid, 'invalid');
    }
    yield;
  }
  return { unique, valid, refused };
}

function* refuseUnknown(
  unique: Set<string>,
  unknown: Set<string>,
  invalid: Map<string, Refusal>,
): Sliced<Pick<Recipients, 'uids' | 'refused'>> {
  const uids: string[] = [];
  const refused = new Map<string, Refusal>();
  let looked = 0;
  for (const uid of unique) {
    if (invalid.has(uid)) refused.set(uid, 'invalid');
    else if (unknown.has(uid)) refused.set(uid, 'unknown');
    else uids.push(uid);
    if (++looked % SLICE === 0) yield;
  }
  return { uids, refused };
}

/** Sorts strings by their UTF-16 code units. Sorting 100,000 long ones in one call would block the event loop for 200 ms. */
export function* sortInSlices(strings: Iterable<string>): Sliced<string[]> {
  const all = [...strings];
  let runs: string[][] = [];
  for (let i = 0; i < all.length; i += SLICE) {
    runs.push(all.slice(i, i + SLICE).sort());
    yield;
  }
  while (runs.length > 1) {
    const merged: string[][] = [];
    for (let i = 0; i < runs.length; i += 2) merged.push(yield* merge(runs[i] ?? [], runs[i + 1] ?? []));
    runs = merged;
  }
  return runs[0] ?? [];
}

function* merge(one: string[], other: string[]): Sliced<string[]> {
  const merged: string[] = [];
  let [i, j] = [0, 0];
  while (i < one.length && j < other.length) {
    const [a = '', b = ''] = [one[i], other[j]];
    const isFirst = a <= b;
    merged.push(isFirst ? a : b);
    if (isFirst) i++;
    else j++;
    if (merged.length % SLICE === 0) yield;
  }
  return merged.concat(one.slice(i), other.slice(j));
}

/** The positions of the refused strings in the sorted list, which is what a receipt keeps of them. */
export function* positionsOf(sorted: string[], refused: RefusedRecipients): Sliced<Refused> {
  const positions: Record<Refusal, number[]> = { invalid: [], unknown: [] };
  if (refused.size === 0) return positions;
  for (const [position, uid] of sorted.entries()) {
    const refusal = refused.get(uid);
    if (refusal) positions[refusal].push(position);
    if (position % SLICE === 0) yield;
  }
  return positions;
}

/** The reverse of positionsOf: the strings that the first request refused, in the order of this request. */
export function* refusedBefore(unique: Set<string>, sorted: string[], kept: Refused): Sliced<RefusedRecipients> {
  if ('fail_uids' in kept) {
    const isUnknown = (i: number) => kept.reason[i] === BATCH_REASON_UNKNOWN;
    return new Map(kept.fail_uids.map((uid, i) => [uid, isUnknown(i) ? 'unknown' : 'invalid']));
  }
  const found = new Map<string, Refusal>();
  let looked = 0;
  for (const refusal of ['invalid', 'unknown'] as const) {
    for (const position of kept[refusal]) {
      found.set(sorted[position] ?? '', refusal);
      if (++looked % SLICE === 0) yield;
    }
  }
  const refused: RefusedRecipients = new Map();
  if (found.size === 0) return refused;
  for (const uid of unique) {
    const refusal = found.get(uid);
    if (refusal) refused.set(uid, refusal);
    if (++looked % SLICE === 0) yield;
  }
  return refused;
}
