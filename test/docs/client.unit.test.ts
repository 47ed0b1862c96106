import { expect, test } from 'vitest';
import { routes } from '../../apps/api/src/routes/index.ts';
import { PLACES } from '../../packages/client/src/endpoints.ts';

/** The client has every endpoint of the API, and no other. */

/** For probes and people; a program has no use for them. */
const NOT_CALLED = ['GET /livez', 'GET /readyz', 'GET /openapi.json', 'GET /docs', 'GET /docs/{}'];

test('the client calls what the API serves', () => {
  const served = routes.map(({ method, path }) => `${method} ${path.replace(/:\w+/g, '{}')}`);
  const called = Object.values(PLACES).map(({ method, path }) => `${method} ${path.replace(/\{\w+\}/g, '{}')}`);
  expect(called.filter((place) => !served.includes(place))).toEqual([]);
  expect(served.filter((place) => !called.includes(place) && !NOT_CALLED.includes(place))).toEqual([]);
});

test('an operation of the OpenAPI document is called as the method of the client', () => {
  const methods = Object.fromEntries(
    Object.entries(PLACES).map(([name, { method, path }]) => [`${method} ${path.replace(/\{\w+\}/g, '{}')}`, name]),
  );
  const operations = Object.fromEntries(
    routes.map(({ method, path, operation }) => [`${method} ${path.replace(/:\w+/g, '{}')}`, operation]),
  );
  expect(operations).toMatchObject(methods);
});
