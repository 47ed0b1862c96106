import type { BroadcastFailure } from '@ruyi/contracts';
import { isRef, type Store } from '@ruyi/store';
import { unknownBroadcast } from './broadcastAnswer.ts';

const DAMAGE = /WRONGTYPE|not an integer|not a valid float|damaged/;

/** Whom a broadcast or a batch failed for, a line each (docs/api.md §4). @throws NotFoundError before the first line */
export async function failuresOf(store: Store, no: string): Promise<AsyncIterable<string>> {
  const record = isRef(no) ? await store.broadcasts.read(no) : undefined;
  const ref = record ? record.ref : no;
  if (!record && !(isRef(no) && (await store.progress.read(no)))) throw unknownBroadcast();
  return linesOf(store, ref);
}

async function* linesOf(store: Store, ref: string | undefined): AsyncGenerator<string> {
  if (ref === undefined) return;
  for await (const { uid, reason, at } of store.progress.failures(ref)) {
    const failure: BroadcastFailure = { uid, reason, code: DAMAGE.test(reason) ? 'corrupt' : 'refused', at };
    yield `${JSON.stringify(failure)}\n`;
  }
}
