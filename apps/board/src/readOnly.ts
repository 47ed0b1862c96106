import type { RequestHandler } from 'express';
import { errorBody } from './bullBoard.ts';

const WHERE =
  'Bull Board only shows; dead letters are tried again and dropped on the page of the operator or with `ruyi dead`';

/** Allows reads and refuses everything else before Bull Board sees it: a new version may add a route that changes something. */
export const readOnly: RequestHandler = (request, response, next) => {
  if (request.method === 'GET' || request.method === 'HEAD') return next();
  response.status(405).set('Allow', 'GET, HEAD');
  response.json(errorBody('QUEUE_READ_ONLY', WHERE));
};
