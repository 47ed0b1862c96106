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
    const fields = { action, ...actor(request, response), ...request.params };
    try {
      const answer = await act(request, gone.signal);
      log.info({ ...fields, ...madeBy(answer) }, 'action');
      response.json(answer);
    } catch (error) {
      log.warn({ ...fields, reason: error instanceof Error ? error.message : String(error) }, 'action failed');
      throw error;
    }
  };

/** The number of what was created. */
const madeBy = (answer: unknown) =>
  typeof answer === 'object' && answer !== null && 'broadcast_no' in answer ? { no: answer.broadcast_no } : {};
