import { z } from 'zod';

/**
 * A slice of a broadcast's recipients. `start` is the position of the first in the whole batch; with `at`, which only a
 * retried chunk has, each recipient carries a position of its own.
 */
export const Chunk = z.object({
  chunk: z.number(),
  start: z.number(),
  at: z.array(z.number()).optional(),
  /** newline-separated: no uid contains a control character, and one string parses faster than a thousand */
  uids: z.string(),
});
export type Chunk = z.infer<typeof Chunk>;
