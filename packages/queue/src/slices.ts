import { setImmediate as nextTurn } from 'node:timers/promises';
import { Gate } from '@ruyi/store';

/** A long computation that pauses at every `yield`. */
export type Sliced<T> = Generator<undefined, T>;

/** Items after which a computation over a long list pauses: under a millisecond of work. */
export const SLICE = 2000;

/** One for the process, as its event loop is. */
const turns = new Gate(1);

/**
 * Runs `work` in a turn of the event loop of its own: however many large requests there are, one of them computes at a
 * time, and in between whatever else came is served. Without it a single send waited for all batches that came with it.
 */
export const inTurn = <T>(work: () => T): Promise<T> =>
  turns.run(async () => {
    await nextTurn();
    return work();
  });

/** The same for each slice of a computation. */
export async function inSlices<T>(work: Sliced<T>): Promise<T> {
  for (;;) {
    const step = await inTurn(() => work.next());
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
