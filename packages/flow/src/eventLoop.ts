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

/** Input gathers for this many turns of the event loop, and until so much is there. */
const GATHERED = { turns: 4, requests: 64 };

let gathering: Promise<void> | undefined;
let asked = 0;

/**
 * Resolves when the event loop has taken in all that has arrived by now: at the end of this turn. If others ask in the same turn,
 * there is load, and more is about to arrive: then it waits as long as each turn brings more, for a few turns. All who ask meanwhile
 * get one promise.
 */
export function inputTaken(): Promise<void> {
  asked++;
  gathering ??= new Promise((resolve) => {
    let seen = 1;
    let waited = 0;
    const look = () => {
      // One request alone waits for nobody.
      if (asked > seen && asked < GATHERED.requests && ++waited < GATHERED.turns) {
        seen = asked;
        setImmediate(look);
      } else {
        gathering = undefined;
        asked = 0;
        resolve();
      }
    };
    setImmediate(look);
  });
  return gathering;
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
