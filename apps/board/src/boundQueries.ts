import type { RequestHandler } from 'express';
import { JOBS_PER_PAGE } from './bullBoard.ts';

const MOST_JOBS = 100;

/** Bull Board reads as many jobs as it is asked for. A page of a million would load all of them from Redis into memory. */
export const boundQueries: RequestHandler = (request, _response, next) => {
  const [path = '', query] = request.url.split(/\?(.*)/s);
  if (query === undefined) return next();
  const fields = new URLSearchParams(query);
  const isBounded = fields.getAll(JOBS_PER_PAGE).every((count) => !(Number(count) > MOST_JOBS));
  if (!isBounded) {
    fields.set(JOBS_PER_PAGE, String(MOST_JOBS));
    request.url = `${path}?${fields}`;
  }
  next();
};
