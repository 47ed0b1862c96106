import { BATCH_REASON_INVALID, BATCH_REASON_UNKNOWN, isName, type MessageHeader, SYSTEM_UID } from '@ruyi/contracts';
import { inSlices, SLICE, type Sliced } from '@ruyi/flow';
import type { Refused } from '@ruyi/store';
import type { ApiContext } from '../context.ts';

/** Why a string of the request gets nothing. */
type Refusal = 'invalid' | 'unknown';

const REASONS: Record<Refusal, string> = { invalid: BATCH_REASON_INVALID, unknown: BATCH_REASON_UNKNOWN };

/** Whom a message to many goes to. */
export interface Recipients {
  /** every string of the request once, in its order */
  unique: Set<string>;
  /** those that are uids and can receive, in request order */
  valid: string[];
  /** who gets the message */
  uids: string[];
  /** the others, in request order */
  refused: Map<string, Refusal>;
}

/** Those who failed, and why, as /message/sendbatch answers it: in request order, each once. */
export interface Failures {
  fail_uids: string[];
  reason: string[];
}

/** Whether the uid can receive: the system user has no inbox. */
const canReceive = (uid: string, header: MessageHeader) =>
  isName(uid) && !(header.sync_once === 1 && uid === SYSTEM_UID);

/** @param requireKnown users that /user/token never saw are refused */
export async function sortOutRecipients(
  { store }: ApiContext,
  { subscribers, header }: { subscribers: string[]; header: MessageHeader },
  requireKnown: boolean,
): Promise<Recipients> {
  const { unique, valid, refused } = await inSlices(subscribers.length, lookAt(subscribers, header));
  const unknown = requireKnown ? await store.users.unknown(valid) : new Set<string>();
  if (unknown.size === 0) return { unique, valid, uids: valid, refused };
  return { unique, valid, ...(await inSlices(unique.size, refuseUnknown(unique, unknown, refused))) };
}

function* lookAt(subscribers: string[], header: MessageHeader): Sliced<Omit<Recipients, 'uids'>> {
  const unique = new Set<string>();
  const valid: string[] = [];
  const refused = new Map<string, Refusal>();
  for (let i = 0; i < subscribers.length; ) {
    for (const end = Math.min(i + SLICE, subscribers.length); i < end; i++) {
      const uid = subscribers[i] ?? '';
      const before = unique.size;
      // One look at the set instead of two.
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

/** Sorts strings by their UTF-16 units. One `sort` of 100,000 long ones would hold up everybody for 200 ms. */
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

/** Where those who are refused stand in the sorted list: what is kept of them. */
export function* positionsOf(sorted: string[], refused: Recipients['refused']): Sliced<Refused> {
  const positions: Record<Refusal, number[]> = { invalid: [], unknown: [] };
  if (refused.size === 0) return positions;
  for (const [at, uid] of sorted.entries()) {
    const refusal = refused.get(uid);
    if (refusal) positions[refusal].push(at);
    if (at % SLICE === 0) yield;
  }
  return positions;
}

/** Back from there: those whom the first request refused, in the order of this one. */
export function* refusedBefore(unique: Set<string>, sorted: string[], kept: Refused): Sliced<Recipients['refused']> {
  if ('fail_uids' in kept) {
    const isUnknown = (i: number) => kept.reason[i] === BATCH_REASON_UNKNOWN;
    return new Map(kept.fail_uids.map((uid, i) => [uid, isUnknown(i) ? 'unknown' : 'invalid']));
  }
  const found = new Map<string, Refusal>();
  let looked = 0;
  for (const refusal of ['invalid', 'unknown'] as const) {
    for (const at of kept[refusal]) {
      found.set(sorted[at] ?? '', refusal);
      if (++looked % SLICE === 0) yield;
    }
  }
  const refused: Recipients['refused'] = new Map();
  if (found.size === 0) return refused;
  for (const uid of unique) {
    const refusal = found.get(uid);
    if (refusal) refused.set(uid, refusal);
    if (++looked % SLICE === 0) yield;
  }
  return refused;
}

export const failuresOf = (refused: Recipients['refused']): Failures => ({
  fail_uids: [...refused.keys()],
  reason: [...refused.values()].map((refusal) => REASONS[refusal]),
});
