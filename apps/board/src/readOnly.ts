import { DEAD_QUEUE } from '@ruyi/queue';
import type { Logger } from '@ruyi/telemetry';
import type { RequestHandler } from 'express';
import { errorBody, retryPaths } from './bullBoard.ts';

const RETRY = retryPaths(DEAD_QUEUE.name);

/**
 * Allows reads, and retries on `dead`; refuses everything else before Bull Board sees it. It lists what is allowed, because
 * Bull Board has no switch for "retries only", and a new version may add a route that changes something.
 */
export function readOnlyExceptRetry(log: Logger): RequestHandler {
  return (request, response, next) => {
    if (request.method === 'GET' || request.method === 'HEAD') return next();
    if (request.method === 'PUT' && RETRY.test(request.path)) {
      log.info({ path: request.path }, 'retry');
      return next();
    }
    response.status(405).set('Allow', 'GET, HEAD');
    response.json(errorBody('QUEUE_READ_ONLY', 'the board is read-only; only dead letters can be retried'));
  };
}
