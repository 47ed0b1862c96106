import type { RequestHandler } from 'express';

const REQUEST_MS = 30_000;
const UPLOAD = /^\/actions\/broadcasts\/[^/]+\/recipients\//;

/**
 * A request that has not arrived after 30 s is cut. Node's own `requestTimeout` knows no exception, and the upload of a list has
 * no total deadline: the API watches that it makes progress.
 */
export const requestDeadline: RequestHandler = (request, _, next) => {
  if (!request.complete && !UPLOAD.test(request.path)) {
    const timer = setTimeout(() => request.complete || request.destroy(), REQUEST_MS).unref();
    request.once('close', () => clearTimeout(timer));
  }
  next();
};
