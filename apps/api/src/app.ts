import type { IncomingMessage, ServerResponse } from 'node:http';
import { InvalidRequestError, MethodNotAllowedError, NotFoundError, requestSchemas } from '@ruyi/contracts';
import { groupBy } from '@ruyi/flow';
import express, { type Express } from 'express';
import type { ApiContext } from './context.ts';
import { answer, answerError } from './http/answer.ts';
import { tokenCheck } from './http/auth.ts';
import { readJson } from './http/body.ts';
import { BodyBudget } from './http/bodyBudget.ts';
import { isInvalidPath } from './http/expressInternals.ts';
import { guard } from './http/guard.ts';
import type { RequestIds } from './http/requestId.ts';
import { bodyBytesOf, type Route } from './http/route.ts';
import { requestTimes } from './metrics/requestTimes.ts';
import { routes } from './routes/index.ts';

export interface AppSettings {
  ids: RequestIds;
  /** see HttpLimits */
  bodiesBytes: number;
}

/** The Express app: one table of routes drives methods, validation and answers. */
export function createApp(context: ApiContext, { ids, bodiesBytes }: AppSettings): Express {
  const app = express();
  app.disable('x-powered-by');
  app.disable('etag');
  app.set('query parser', 'simple');
  app.set('case sensitive routing', true);

  const isAuthorized = tokenCheck(context.config.apiToken);
  const check = guard(context.config, isAuthorized);
  const bodies = new BodyBudget(bodiesBytes);
  const schemas = requestSchemas(context.config);
  const noteTime = requestTimes(context.metrics);
  const known = new Set(routes.map(({ path }) => path));
  app.use((request, response, next) => {
    const from = performance.now();
    response.once('finish', () => {
      // What is refused before its route is looked up has none.
      const path = known.has(request.path) ? request.path : request.route?.path;
      noteTime(request.method, path ?? 'other', response.statusCode, (performance.now() - from) / 1000);
    });
    response.setHeader('x-request-id', ids.of(request));
    const refusal = check(request, request.path);
    if (refusal === undefined) next();
    else answerError(response, refusal, context.log);
  });

  const serve = async (
    route: Route,
    request: IncomingMessage & { params: object; query: object },
    response: ServerResponse,
  ) => {
    const params = Object.fromEntries(Object.entries(request.params).map(([name, value]) => [name, String(value)]));
    const details = { params, headers: request.headers, isAuthorized: () => isAuthorized(request) };
    const share = bodies.share();
    // Nothing here keeps the input while the request is handled: most of a body may be what no schema asks for.
    const handled =
      route.method === 'POST'
        ? readJson(request, bodyBytesOf(route, context.config), share).then((input) =>
            route.handle(context, schemas, input, details),
          )
        : route.handle(context, schemas, request.query, details);
    const { status = 200, body, headers } = await handled.finally(share.release);
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
  app.use((error: unknown, _request: IncomingMessage, response: ServerResponse, _next: () => void) => {
    const invalidPath = new InvalidRequestError([{ path: '', message: 'the path is not a valid URI' }]);
    answerError(response, isInvalidPath(error) ? invalidPath : error, context.log);
  });
  return app;
}
