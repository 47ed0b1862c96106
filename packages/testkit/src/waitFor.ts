import { setTimeout as pause } from 'node:timers/promises';

/** Long after any condition holds, also on a machine that is busy with other tests: whoever passes it hangs. */
const HANGS_MS = 30_000;

export interface WaitOptions {
  /** what the error says was awaited: 'the batch is stored' */
  what?: string;
  deadlineMs?: number;
  everyMs?: number;
}

/**
 * Evaluates the condition until its answer is truthy, and returns the answer. An error thrown by it counts as "not
 * yet".
 * @throws Error naming `what` and the last answer or error if the deadline passes
 */
export async function waitFor<T>(
  condition: () => Promise<T> | T,
  { what = 'the condition', deadlineMs = HANGS_MS, everyMs = 20 }: WaitOptions = {},
): Promise<Exclude<T, false | 0 | '' | null | undefined>> {
  const deadline = performance.now() + deadlineMs;
  let last: unknown;
  for (;;) {
    try {
      const answer = await condition();
      if (answer) return answer as Exclude<T, false | 0 | '' | null | undefined>;
      last = answer;
    } catch (error) {
      last = error;
    }
    if (performance.now() > deadline) {
      const detail = last instanceof Error ? last.message : String(last);
      throw new Error(`waited ${deadlineMs} ms for ${what}; last: ${detail}`, { cause: last });
    }
    await pause(everyMs);
  }
}
