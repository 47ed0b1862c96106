import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Express } from 'express';

/**
 * What this API relies on and Express does not document. test/expressInternals.integration.test.ts has one test per
 * assumption, so an upgrade of Express that breaks one of them fails there.
 */

/**
 * Makes two classes the prototypes that Express gives to every request and response. Express calls
 * `Object.setPrototypeOf` on both objects of each request, which makes them slow for the rest of their life. A server
 * that creates them as these classes gives them the right prototype from the start, so that call changes nothing: three
 * to four times the requests per second of the plain server on one core. (Calling Node's constructors for objects with a
 * foreign prototype, by Reflect.construct, is slower than doing nothing.)
 * @param request a subclass of IncomingMessage, changed here, as is `response`
 * @param response a subclass of ServerResponse; what it overrides of Node's methods stays
 */
export function adoptPrototypes(
  app: Express,
  request: { prototype: IncomingMessage },
  response: { prototype: ServerResponse },
): void {
  Reflect.set(app, 'request', withMethods(request.prototype, app.request));
  Reflect.set(app, 'response', withMethods(response.prototype, app.response));
}

/** Copies what Express adds to Node's prototype: first its own methods, then what it adds per app. */
function withMethods(prototype: object, express: object): object {
  const layers = [Object.getPrototypeOf(express), express];
  for (const layer of layers) Object.defineProperties(prototype, Object.getOwnPropertyDescriptors(layer));
  return prototype;
}

/** Whether an error that reaches the app's error handler is Express' own for a path that is not a valid URI. */
export const isInvalidPath = (error: unknown): boolean => error instanceof URIError;
