import { createServer, IncomingMessage, type Server, ServerResponse } from 'node:http';
import express, { type Express, type Request, type Response } from 'express';
import { afterEach, describe, expect, test } from 'vitest';
import { isInvalidPath } from '../src/http/expressInternals.ts';
import { createHttpServer } from '../src/http/server.ts';
import { ask } from './rawHttp.ts';

/** What http/expressInternals.ts assumes about Express, one test per assumption, on a real server. */

const servers: Server[] = [];
afterEach(async () => {
  for (const server of servers.splice(0)) await new Promise((resolve) => server.close(resolve));
});

async function addressOf(server: Server): Promise<string> {
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  return `http://127.0.0.1:${typeof address === 'object' && address ? address.port : 0}`;
}

const prototypeOf = (value: object): unknown => Object.getPrototypeOf(value);

/** Serves one request, and returns what `look` returned for it inside the app. */
async function seenBy<T>(app: Express, createFor: (app: Express) => Server, look: (req: Request, res: Response) => T) {
  const seen: T[] = [];
  app.get('/rooms/:name', (request, response) => {
    seen.push(look(request, response));
    response.end();
  });
  const address = await addressOf(createFor(app));
  expect((await ask(address, 'GET', '/rooms/a%20b?limit=5&limit=6', {})).status).toBe(200);
  return seen;
}

describe('Express sets the prototypes of every request and response', () => {
  test('to app.request and app.response, which an app may replace', async () => {
    const app = express();
    const [request, response] = [Object.create(app.request), Object.create(app.response)];
    Reflect.set(app, 'request', request);
    Reflect.set(app, 'response', response);
    const seen = await seenBy(app, createServer, (req, res) => [
      prototypeOf(req) === request,
      prototypeOf(res) === response,
    ]);
    expect(seen).toEqual([[true, true]]);
  });

  test.each([
    ['request', IncomingMessage.prototype],
    ['response', ServerResponse.prototype],
  ] as const)('app.%s lies two layers above Node', (name, ofNode) => {
    const perApp = express()[name];
    expect(prototypeOf(perApp)).toBe(express[name]);
    expect(prototypeOf(express[name])).toBe(ofNode);
    // What an app adds is a plain value, so copying it to another object keeps its meaning.
    expect(Object.keys(perApp)).toEqual(['app']);
  });

  test('no method or property of Express hides one of Node that the server overrides', () => {
    for (const layer of [express.response, express().response]) expect(Object.hasOwn(layer, 'end')).toBe(false);
  });
});

describe('a server made of adopted prototypes', () => {
  test('creates requests and responses with the prototypes that Express sets', async () => {
    const app = express();
    const before: unknown[] = [];
    const create = () =>
      createHttpServer(app).prependListener('request', (...pair: object[]) => {
        before.push(...pair.map(prototypeOf));
      });
    const [within] = await seenBy(app, create, (...pair) => pair.map(prototypeOf));
    expect(within).toHaveLength(2);
    for (const [i, prototype] of (within ?? []).entries()) expect(before[i]).toBe(prototype);
  });

  test('gives handlers the same view of a request as a plain server', async () => {
    const look = (request: Request, { app, req }: Response) => ({
      path: request.path,
      query: { ...request.query },
      params: { ...request.params },
      route: String(request.route.path),
      get: request.get('HOST') === request.headers.host,
      isOfItsApp: app === request.app && req === request,
    });
    const plain = await seenBy(express(), createServer, look);
    const adopted = await seenBy(express(), (app) => createHttpServer(app), look);
    expect(adopted).toEqual(plain);
    expect(plain).toMatchObject([{ path: '/rooms/a%20b', params: { name: 'a b' }, route: '/rooms/:name' }]);
  });
});

test('a path that is not a valid URI reaches the error handler as an error that isInvalidPath knows', async () => {
  const app = express();
  const errors: unknown[] = [];
  app.get('/rooms/:name', (_, response) => void response.end());
  app.use((error: unknown, _request: IncomingMessage, response: ServerResponse, _next: () => void) => {
    errors.push(error);
    response.end();
  });
  const address = await addressOf(createHttpServer(app));
  await ask(address, 'GET', '/rooms/%E0%A4%A', {});
  expect(errors.map(isInvalidPath)).toEqual([true]);
  expect(isInvalidPath(new Error('another'))).toBe(false);
});
