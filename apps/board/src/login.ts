import { createHash, timingSafeEqual } from 'node:crypto';
import express, { type Request, type RequestHandler, type Response, Router } from 'express';
import { loginPage, logoutPage } from './loginPage.ts';
import { LoginTries } from './loginTries.ts';
import { SESSION_MS, Sessions } from './sessions.ts';
import { admit } from './visitor.ts';

const COOKIE = 'ruyi_board';
const LARGEST_FORM = '4kb';
const LONGEST_NAME = 64;
/** Whoever carries the token itself has given no name. */
const BEARER = 'bearer of the token';
const TOO_MANY = 'Too many tries at the moment. Try again in a second.';

/**
 * Admits whoever knows the token, as `Authorization: Bearer` or through a form that exchanges it, and a name for the log, for a
 * cookie.
 */
export function login(token: string): Router {
  const sessions = new Sessions();
  const tries = new LoginTries();
  const isToken = sameAs(token);
  const router = Router();
  router.get('/login', (_, response) => {
    response.type('html').send(loginPage());
  });
  router.post('/login', express.urlencoded({ extended: false, limit: LARGEST_FORM }), async (request, response) => {
    const outcome = await tries.check(() => isToken(request.body?.token));
    if (outcome !== true) {
      const [status, problem] = outcome === 'busy' ? [429, TOO_MANY] : [401, 'That is not the token.'];
      if (outcome === 'busy') response.set('Retry-After', '1');
      response.status(status).type('html').send(loginPage(problem));
      return;
    }
    setCookie(request, response, sessions.open(nameOf(request.body?.name)), SESSION_MS);
    response.redirect(303, '/');
  });
  // Only a POST ends a session, so a link or an image on another page cannot.
  router.get('/logout', (_, response) => {
    response.type('html').send(logoutPage);
  });
  router.post('/logout', (request, response) => {
    sessions.end(sessionOf(request));
    setCookie(request, response, '', 0);
    response.redirect(303, '/login');
  });
  router.use(requireEither(sessions, tries, isToken));
  return router;
}

function requireEither(sessions: Sessions, tries: LoginTries, isToken: (given: unknown) => boolean): RequestHandler {
  return async (request, response, next) => {
    const id = sessionOf(request);
    const session = sessions.find(id);
    if (session) {
      admit(response, { who: session.who, isAdmitted: () => sessions.find(id) !== undefined });
      return next();
    }
    const bearer = /^Bearer +(.+)$/i.exec(request.headers.authorization ?? '')?.[1];
    const outcome = bearer !== undefined && (await tries.check(() => isToken(bearer)));
    if (outcome === true) {
      admit(response, { who: BEARER, isAdmitted: () => true });
      return next();
    }
    const isPage = request.method === 'GET' && !request.path.startsWith('/queues/api/') && request.accepts('html');
    if (outcome === 'busy') response.status(429).set('Retry-After', '1').json({ error: TOO_MANY });
    else if (isPage) response.redirect(303, '/login');
    else response.status(401).set('WWW-Authenticate', 'Bearer').json({ error: 'unauthorized', message: 'log in' });
  };
}

/** Compares in constant time. Digests have the same length, whatever was given. */
function sameAs(token: string): (given: unknown) => boolean {
  const digest = (text: string) => createHash('sha256').update(text).digest();
  const expected = digest(token);
  return (given) => typeof given === 'string' && timingSafeEqual(digest(given), expected);
}

/** One line of the log must stay one, and one name looks like one. */
const nameOf = (given: unknown): string =>
  typeof given === 'string'
    ? given
        .replace(/[\p{C}\p{Z}]+/gu, ' ')
        .trim()
        .slice(0, LONGEST_NAME)
    : '';

const sessionOf = (request: Request): string =>
  new RegExp(`(?:^|; *)${COOKIE}=([\\w-]+)`).exec(request.headers.cookie ?? '')?.[1] ?? '';

/** Sets `Secure` only behind TLS, because over http, as on 127.0.0.1, a browser would drop the cookie. */
function setCookie(request: Request, response: Response, value: string, maxAge: number): void {
  const secure = request.headers['x-forwarded-proto'] === 'https';
  response.cookie(COOKIE, value, { httpOnly: true, sameSite: 'strict', path: '/', maxAge, secure });
}
