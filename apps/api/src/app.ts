import type { IncomingMessage, ServerResponse } from 'node:http';
import {
  InvalidRequestError,
  MethodNotAllowedError,
  NotFoundError,
  requestSchemas,
  UnauthorizedError,
} from '@ruyi/contracts';
import { groupBy } from '@ruyi/store';
import express, { type Express } from 'express';
import type { ApiContext } from './context.ts';
import { answer, answerError } from './http/answer.ts';
import { requestTimes } from './http/apiMetrics.ts';
import { tokenCheck } from './http/auth.ts';
import { readJson } from './http/body.ts';
import type { Route } from './http/route.ts';
import { routes } from './routes/index.ts';

const VISIBLE_ASCII = /^[\x21-\x7e]{1,128}$/;

/** The Express app: one table of routes drives methods, validation and answers. */
export function createApp(context: ApiContext): Express {
  const app = express();
  app.disable('x-powered-by');
  app.disable('etag');
  app.set('query parser', 'simple');
  app.set('case sensitive routing', true);

  const isAuthorized = tokenCheck(context.config.apiToken);
  const schemas = requestSchemas(context.config);
  const noteTime = requestTimes(context.metrics);
  const known = new Set(routes.map(({ path }) => path));
  let requests = 0;
  app.use((request, response, next) => {
    const from = performance.now();
    response.once('finish', () => {
      // What is refused before its route is looked up has none.
      const path = known.has(request.path) ? request.path : request.route?.path;
      noteTime(request.method, path ?? 'other', response.statusCode, (performance.now() - from) / 1000);
    });
    const given = request.headers['x-request-id'];
    const isUsable = typeof given === 'string' && VISIBLE_ASCII.test(given);
    response.setHeader('x-request-id', isUsable ? given : `${context.producer.name}-${++requests}`);
    if (isAuthorized(request) || request.path === '/health') next();
    else answerError(response, new UnauthorizedError(), context.log);
  });

  const serve = async (
    route: Route,
    request: IncomingMessage & { params: object; query: object },
    response: ServerResponse,
  ) => {
    const input = route.method === 'POST' ? await readJson(request, context.config.maxBodyBytes) : request.query;
    const params = Object.fromEntries(Object.entries(request.params).map(([name, value]) => [name, String(value)]));
    const {
      status = 200,
      body,
      headers,
    } = await route.handle(context, schemas, input, { params, headers: request.headers });
    answer(response, status, body, headers);
  };
  for (const [path, atPath] of groupBy(routes, (route) => route.path)) {
    const allowed = atPath.map(({ method }) => method).join(', ');
    app.all(path, (request, response) => {
      const method = request.method === 'HEAD' ? 'GET' : request.method;
      const route = atPath.find((candidate) => candidate.method === method);
      if (!route) return answerError(response, new MethodNotAllowedError(request.method, allowed), context.log);
      serve(route, request, response).catch((error) => answerError(response, error, context.log));
    });
  }
  app.use((request, response) => {
    answerError(response, new NotFoundError(`no such endpoint: ${request.path}`), context.log);
  });
  // Express itself throws for a path that is no valid URI.
  app.use((error: unknown, _request: IncomingMessage, response: ServerResponse, _next: () => void) => {
    const isUriError = error instanceof URIError;
    const known = isUriError ? new InvalidRequestError([{ path: '', message: 'the path is not a valid URI' }]) : error;
    answerError(response, known, context.log);
  });
  return app;
}
