import { pipeline } from 'node:stream/promises';
import { type BroadcastFailure, type BroadcastState, type RuyiClient, RuyiError } from '@ruyi/client';
import type { DeadLetters } from '@ruyi/queue';
import { type ErrorRequestHandler, type Request, type RequestHandler, Router } from 'express';
import { z } from 'zod';
import type { BroadcastPage } from '../live/liveState.ts';
import { problemOf, type Sources } from '../live/readOverview.ts';

const SHOWN_FAILURES = 100;
const PAGE = 50;

/** What the page reads when it is asked to, besides what it is told once a second. */
export function data({ ruyi, batches }: Sources, dead: DeadLetters): Router {
  const router = Router();
  router.get('/data/broadcasts', async (request, response) => {
    const [state, cursor] = [textOf(request, 'state'), textOf(request, 'cursor')];
    const filter = isState(state) ? { state } : {};
    const page = await ruyi.broadcasts({ limit: PAGE, ...filter, ...(cursor === '' ? {} : { cursor }) });
    const broadcasts = await Promise.all(page.broadcasts.map((one) => batches.shown(one)));
    response.json({ broadcasts, cursor: page.cursor } satisfies BroadcastPage);
  });
  router.get('/data/broadcasts/:no/failures', async ({ params: { no } }, response) => {
    response.json({ failures: await first(await ruyi.broadcastFailures({ broadcast_no: no }), SHOWN_FAILURES) });
  });
  router.get('/data/dead/:id', async ({ params: { id } }, response) => {
    const letter = await dead.show(id);
    if (letter) response.json(letter);
    else response.status(404).json({ error: 'not_found', message: 'this letter is gone: it was stored, or dropped' });
  });
  router.get('/broadcasts/:no/failures.ndjson', downloadFailures(ruyi));
  return router;
}

/** Streams them: there may be millions. */
const downloadFailures =
  (ruyi: RuyiClient): RequestHandler<{ no: string }> =>
  async ({ params: { no } }, response) => {
    const failures = await ruyi.broadcastFailures({ broadcast_no: no });
    response.attachment(`failures-${no.replace(/\W/g, '')}.ndjson`).type('application/x-ndjson');
    await pipeline(linesOf(failures), response).catch(() => response.destroy());
  };

async function* linesOf(failures: AsyncIterable<BroadcastFailure>): AsyncGenerator<string> {
  for await (const failure of failures) yield `${JSON.stringify(failure)}\n`;
}

async function first<T>(values: AsyncIterable<T>, most: number): Promise<T[]> {
  const taken: T[] = [];
  for await (const value of values) {
    taken.push(value);
    if (taken.length === most) break;
  }
  return taken;
}

const STATES: BroadcastState[] = ['open', 'scheduled', 'running', 'paused', 'done', 'cancelled', 'failed'];
const isState = (text: string): text is BroadcastState => STATES.some((state) => state === text);
const textOf = ({ query }: Request, name: string): string => (typeof query[name] === 'string' ? query[name] : '');

/** What the API refused, or that it gave no answer, in its own words. */
export const answerRefusal =
  (url: string): ErrorRequestHandler =>
  (error, _request, response, next) => {
    if (error instanceof z.ZodError) {
      response.status(400).json({ error: 'invalid_request', message: z.prettifyError(error) });
      return;
    }
    if (!(error instanceof RuyiError) || response.headersSent) return next(error);
    const { message, fix } = problemOf(error, url);
    // 401 of the API is about the board's own token, and 0 means that nothing answered.
    const status = error.status < 400 || error.status === 401 ? 502 : error.status;
    response.status(status).json({ error: error.code, message: [message, fix].filter(Boolean).join(' ') });
  };
