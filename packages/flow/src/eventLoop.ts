import { setImmediate as nextTurn } from 'node:timers/promises';
import { Gate } from './gate.ts';

/** A long computation that pauses at every `yield`. */
export type Sliced<T> = Generator<undefined, T>;

/** Items after which a computation over a long list pauses: under a millisecond of work. */
export const SLICE = 2000;

/** This few items take no longer than a single send, so they do not wait for the slices of large requests. */
const FEW = 200;

/** One for the whole process, because it has one event loop. */
const turns = new Gate(1);

let turn: Promise<void> | undefined;

/** Resolves when the event loop has taken in all that has arrived by now. All who ask in one turn get one promise. */
export function inputTaken(): Promise<void> {
  turn ??= new Promise((resolve) => {
    setImmediate(() => {
      turn = undefined;
      resolve();
    });
  });
  return turn;
}

/**
 * Runs `work` in its own turn of the event loop. However many large requests there are, only one computes per turn, and
 * everything else is served in between. Without this a single send waited for all batches that arrived with it.
 * @param items how many items the work handles; a few run at once
 */
export function inTurn<T>(items: number, work: () => T): T | Promise<T> {
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
