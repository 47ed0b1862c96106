import { setTimeout as pause } from 'node:timers/promises';

export interface WaitOptions {
  /** what is waited for, for the error's sake: 'the batch is stored' */
  what?: string;
  deadlineMs?: number;
  everyMs?: number;
}

/**
 * Asks again and again until the answer is truthy, and returns it. An error thrown by the condition counts as "not yet".
 * @throws Error naming `what` and the last error, when the deadline has passed
 */
export async function waitFor<T>(
  condition: () => Promise<T> | T,
  { what = 'the condition', deadlineMs = 10_000, everyMs = 20 }: WaitOptions = {},
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
