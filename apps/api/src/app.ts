import type { ServerResponse } from 'node:http';
import { InvalidRequestError, MethodNotAllowedError, NotFoundError, requestSchemas } from '@ruyi/contracts';
import { groupBy } from '@ruyi/flow';
import express, { type Express, type Request, type RequestHandler } from 'express';
import type { ApiContext } from './context.ts';
import { answer, answerError, answerLines, nameAnswer } from './http/answer.ts';
import { tokenCheck } from './http/auth.ts';
import { readJson } from './http/body.ts';
import { BodyBudget, type Share } from './http/bodyBudget.ts';
import { isInvalidPath } from './http/expressInternals.ts';
import { guard } from './http/guard.ts';
import type { HttpLimits } from './http/limits.ts';
import type { RequestIds } from './http/requestId.ts';
import { type Answered, bodyBytesOf, type RequestDetails, type Route } from './http/route.ts';
import { traced } from './http/traced.ts';
import { drain } from './http/uploadedBytes.ts';
import { requestTimes } from './metrics/requestTimes.ts';
import { routes } from './routes/index.ts';

export interface AppSettings {
  ids: RequestIds;
  limits: Pick<HttpLimits, 'bodiesBytes' | 'requestMs' | 'unreadMs'>;
}

/** An Express app without any route. */
export function createApp(): Express {
  const app = express();
  app.disable('x-powered-by');
  app.disable('etag');
  app.set('query parser', 'simple');
  app.set('case sensitive routing', true);
  return app;
}

/** Adds every route. One table of them drives methods, validation and answers. */
export function addRoutes(app: Express, context: ApiContext, settings: AppSettings): void {
  const { log, config } = context;
  const isAuthorized = tokenCheck(config.apiToken);
  app.use(receive(context, settings.ids, guard(config, isAuthorized)));
  const serve = serveRoutes(context, settings.limits, isAuthorized);
  for (const [path, atPath] of groupBy(routes, (route) => route.path)) {
    const allowed = atPath.map(({ method }) => method).join(', ');
    app.all(path, (request, response) => {
      const method = request.method === 'HEAD' ? 'GET' : request.method;
      const route = atPath.find((candidate) => candidate.method === method);
      if (!route) return answerError(response, new MethodNotAllowedError(request.method, allowed), log);
      serve(route, request, response);
    });
  }
  app.use((request, response) => {
    answerError(response, new NotFoundError(`no such endpoint: ${request.path}`), log);
  });
  app.use((error: unknown, _request: Request, response: ServerResponse, _next: () => void) => {
    const invalidPath = new InvalidRequestError([{ path: '', message: 'the path is not a valid URI' }]);
    answerError(response, isInvalidPath(error) ? invalidPath : error, log);
  });
}

/** Comes before every route: names the request, times it until its answer is out, and refuses what the guard refuses. */
function receive(context: ApiContext, ids: RequestIds, check: ReturnType<typeof guard>): RequestHandler {
  const recordTime = requestTimes(context.metrics);
  const known = new Set(routes.map(({ path }) => path));
  return (request, response, next) => {
    const from = performance.now();
    // A request that was refused here never met its route, so its path is looked up instead.
    const pathOf = () => (known.has(request.path) ? request.path : request.route?.path) ?? 'other';
    // Not `once`, which costs more: it is told once anyway.
    response.on('finish', () => {
      recordTime(request.method, pathOf(), response.statusCode, (performance.now() - from) / 1000);
    });
    nameAnswer(response, ids.of(request));
    const refusal = check(request, request.path);
    if (refusal !== undefined) answerError(response, refusal, context.log);
    else traced(context.tracing, { request, response, pathOf }, next);
  };
}

const NO_PARAMS: Readonly<Record<string, string>> = Object.freeze({});

/** The parts of a path that its route leaves open. */
function paramsOf({ params }: Request): Readonly<Record<string, string>> {
  const entries = Object.entries(params);
  return entries.length === 0 ? NO_PARAMS : Object.fromEntries(entries.map(([name, value]) => [name, String(value)]));
}

/** @returns what hands a request to its route and sends the answer, or what was wrong */
function serveRoutes(
  context: ApiContext,
  { bodiesBytes, requestMs, unreadMs }: AppSettings['limits'],
  isAuthorized: ReturnType<typeof tokenCheck>,
) {
  const bodies = new BodyBudget(bodiesBytes);
  const schemas = requestSchemas(context.config);
  const handled = (route: Route, request: Request, details: RequestDetails, share: Share): Promise<Answered> => {
    if (route.method === 'PUT') {
      const refused = (error: unknown) => drain(request).then(() => Promise.reject(error));
      return route.receive(context, request, { ...details, idleMs: requestMs }).catch(refused);
    }
    if (route.method === 'GET') return route.handle(context, schemas, request.query, details);
    // Without a schema there is nothing to read: the route says it all.
    if (route.request === undefined) return route.handle(context, schemas, {}, details);
    // No variable here holds the input while the request is handled, so what no schema asks for can be freed at once.
    const ifEmpty = route.mayLackBody ? {} : undefined;
    return readJson(request, bodyBytesOf(route, context.config), share, ifEmpty).then((input) =>
      route.handle(context, schemas, input, details),
    );
  };
  return async (route: Route, request: Request, response: ServerResponse): Promise<void> => {
    const share = bodies.share();
    try {
      const details = {
        params: paramsOf(request),
        headers: request.headers,
        isAuthorized: () => isAuthorized(request),
      };
      const { status = 200, body, headers, lines } = await handled(route, request, details, share);
      if (lines) await answerLines(response, lines, unreadMs);
      else answer(response, status, body, headers);
    } catch (error) {
      answerError(response, error, context.log);
    } finally {
      share.release();
    }
  };
}
