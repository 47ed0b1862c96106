import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import express, { type Request, type RequestHandler, type Response, Router } from 'express';
import { loginPage, logoutPage } from './loginPage.ts';
import { LoginTries } from './loginTries.ts';

const COOKIE = 'ruyi_board';
const SESSION_MS = 12 * 60 * 60 * 1000;
const MOST_SESSIONS = 1000;
const LARGEST_FORM = '4kb';
const TOO_MANY = 'Too many tries at the moment. Try again in a second.';

/**
 * Admits whoever knows the token, as `Authorization: Bearer` or through a form that exchanges it for a cookie. Sessions
 * live in the memory of this process, so a restart ends them, and so does logging out.
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
    setCookie(request, response, sessions.open(), SESSION_MS);
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
    if (sessions.isOpen(sessionOf(request))) return next();
    const bearer = /^Bearer +(.+)$/i.exec(request.headers.authorization ?? '')?.[1];
    const outcome = bearer !== undefined && (await tries.check(() => isToken(bearer)));
    if (outcome === true) return next();
    const isPage = request.method === 'GET' && !request.path.startsWith('/api/') && request.accepts('html');
    if (outcome === 'busy') response.status(429).set('Retry-After', '1').json({ error: TOO_MANY });
    else if (isPage) response.redirect(303, '/login');
    else response.status(401).set('WWW-Authenticate', 'Bearer').json({ error: 'unauthorized' });
  };
}

/** Compares in constant time. Digests have the same length, whatever was given. */
function sameAs(token: string): (given: unknown) => boolean {
  const digest = (text: string) => createHash('sha256').update(text).digest();
  const expected = digest(token);
  return (given) => typeof given === 'string' && timingSafeEqual(digest(given), expected);
}

class Sessions {
  /** session id → when it ends, the oldest session first */
  readonly #open = new Map<string, number>();

  open(): string {
    const [oldest] = this.#open.keys();
    if (this.#open.size >= MOST_SESSIONS && oldest !== undefined) this.#open.delete(oldest);
    const id = randomBytes(32).toString('base64url');
    this.#open.set(id, Date.now() + SESSION_MS);
    return id;
  }

  isOpen(id: string): boolean {
    const ends = this.#open.get(id);
    if (ends === undefined) return false;
    if (ends > Date.now()) return true;
    this.#open.delete(id);
    return false;
  }

  end(id: string): void {
    this.#open.delete(id);
  }
}

const sessionOf = (request: Request): string =>
  new RegExp(`(?:^|; *)${COOKIE}=([\\w-]+)`).exec(request.headers.cookie ?? '')?.[1] ?? '';

/** Sets `Secure` only behind TLS, because over http, as on 127.0.0.1, a browser would drop the cookie. */
function setCookie(request: Request, response: Response, value: string, maxAge: number): void {
  const secure = request.headers['x-forwarded-proto'] === 'https';
  response.cookie(COOKIE, value, { httpOnly: true, sameSite: 'strict', path: '/', maxAge, secure });
}
