import { setTimeout as pause } from 'node:timers/promises';
import type { Random } from '@ruyi/testkit';
import { CutError, type Method, RefusedError, type Reply } from './http.ts';
import { type LoadContext, noteStatus } from './sender.ts';

const FIRST_PAUSE_MS = 20;
const LONGEST_PAUSE_MS = 500;

interface RepeatedRequest {
  method: Method;
  path: string;
  body?: object | Buffer;
  headers?: Record<string, string>;
}

/**
 * Repeats a request that may be repeated until it is answered with more than "later": not 429, 503, or 409 `busy`.
 * @param onDoubt called for each try whose outcome is not known
 */
export async function untilAnswered(
  context: LoadContext,
  random: Random,
  { method, path, body, headers = {} }: RepeatedRequest,
  onDoubt: () => void,
): Promise<Reply> {
  const { http, stats, ports } = context;
  for (let wait = FIRST_PAUSE_MS; ; wait = Math.min(2 * wait, LONGEST_PAUSE_MS)) {
    const [first = 0, ...others] = ports();
    try {
      const reply = await http.call(random.pick([first, ...others]), method, path, body, { headers });
      noteStatus(stats, `${method} ${path.replace(/\/broadcasts\/\w+/, '/broadcasts/…')}`, reply);
      const isBusy = reply.status === 409 && reply.body.code === 'busy';
      if (reply.status < 429 && !isBusy) return reply;
      if (reply.status === 503) onDoubt();
      else if (reply.status !== 429 && !isBusy) return reply;
    } catch (error) {
      if (error instanceof RefusedError) stats.refused++;
      else {
        stats.cut++;
        onDoubt();
      }
      if (error instanceof CutError && error.isFresh) stats.cutFresh++;
    }
    await pause(random.whole(1, wait));
  }
}
