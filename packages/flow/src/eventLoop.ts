import { setImmediate as nextTurn } from 'node:timers/promises';
import { Gate } from './gate.ts';

/** A long computation that pauses at every `yield`. */
export type Sliced<T> = Generator<undefined, T>;

/** Items after which a computation over a long list pauses: under a millisecond of work. */
export const SLICE = 2000;

/** So few items take no longer than a single send: they do not wait for the slices of large requests. */
const FEW = 200;

/** One for the process, as its event loop is. */
const turns = new Gate(1);

/**
 * Runs `work` in a turn of the event loop of its own: however many large requests there are, one of them computes at a
 * time, and in between whatever else came is served. Without it a single send waited for all batches that came with it.
 * @param items how many the work is about; with few it runs at once
 */
export async function inTurn<T>(items: number, work: () => T): Promise<T> {
  if (items <= FEW) return work();
  return turns.run(async () => {
    await nextTurn();
    return work();
  });
}

/** The same for each slice of a computation. */
export async function inSlices<T>(items: number, work: Sliced<T>): Promise<T> {
  if (items <= FEW) return atOnce(work);
  for (;;) {
    const step = await inTurn(items, () => work.next());
    if (step.done) return step.value;
  }
}

/** The same computation without a pause. */
export function atOnce<T>(work: Sliced<T>): T {
  for (;;) {
    const step = work.next();
    if (step.done) return step.value;
  }
}
