import type { Logger } from '@ruyi/telemetry';
import type { Request, RequestHandler } from 'express';
import { actor } from '../visitor.ts';

/** @returns what the page is answered */
export type Act = (request: Request<Record<string, string>>, signal: AbortSignal) => Promise<unknown>;

/** Runs an action and logs a line: who did what, from where, to what, and how it ended. */
export const logged =
  (log: Logger, action: string, act: Act): RequestHandler<Record<string, string>> =>
  async (request, response) => {
    const gone = new AbortController();
    response.once('close', () => gone.abort(new Error('the page went away')));
    const fields = { action, ...actor(request, response), ...request.params, ...meant(request) };
    try {
      const answer = await act(request, gone.signal);
      log.info({ ...fields, ...madeBy(answer) }, 'action');
      response.json(answer);
    } catch (error) {
      log.warn({ ...fields, reason: error instanceof Error ? error.message : String(error) }, 'action failed');
      throw error;
    }
  };

/** The number of what was created, and how many letters an action was about. */
function madeBy(answer: unknown) {
  if (typeof answer !== 'object' || answer === null) return {};
  if ('done' in answer) return { letters: answer.done };
  return 'broadcast_no' in answer ? { no: answer.broadcast_no } : {};
}

/** Which dead letters were meant. Nothing else that is posted belongs into a log. */
const meant = ({ path, body }: Request<Record<string, string>>) => (path.startsWith('/dead/') ? { target: body } : {});
