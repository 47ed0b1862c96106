import { hasForeignOrigin, reasonToForbid } from '@ruyi/contracts';
import type { RequestHandler } from 'express';

/** The pages have no inline script and no inline style, and load nothing from elsewhere. */
const OWN_PAGES = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' data:",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'self'",
  "frame-ancestors 'none'",
].join('; ');

/** Bull Board's page has inline styles but no inline script. */
const BULL_BOARD = [
  "default-src 'self'",
  "style-src 'self' 'unsafe-inline'",
  "img-src 'self' data:",
  "font-src 'self' data:",
  "object-src 'none'",
  "base-uri 'self'",
  "form-action 'self'",
  "frame-ancestors 'none'",
].join('; ');

export const securityHeaders: RequestHandler = (request, response, next) => {
  response.set({
    'Content-Security-Policy': request.path.startsWith('/queues') ? BULL_BOARD : OWN_PAGES,
    'X-Content-Type-Options': 'nosniff',
    'X-Frame-Options': 'DENY',
    // Not no-referrer: with that a browser sends the login form with `Origin: null`, and ownPostsOnly refuses it.
    'Referrer-Policy': 'same-origin',
    'Cross-Origin-Opener-Policy': 'same-origin',
    'Cross-Origin-Resource-Policy': 'same-origin',
    'Cache-Control': cacheControl(request.path),
  });
  next();
};

/** The pages show messages, so only scripts and styles may be cached; Bull Board's have names that change with them. */
function cacheControl(path: string): string {
  if (path.startsWith('/queues/static/')) return 'max-age=86400';
  return path.startsWith('/assets/') ? 'no-cache' : 'no-store';
}

const REMEDY = 'set BOARD_TOKEN';

/**
 * Without a token the loopback address is the only protection, and every web page that is open on this machine can send
 * requests to it. So the API's rule applies here too (docs/api.md §1, 403).
 */
export const ownPagesOnly: RequestHandler = (request, response, next) => {
  const reason = reasonToForbid(request, REMEDY);
  if (reason === undefined) return next();
  response.status(403).json({ error: 'forbidden', message: reason });
};

/** Needed with a token too: a browser adds the cookie to what another page of the same site posts. */
export const ownPostsOnly: RequestHandler = (request, response, next) => {
  const isRead = request.method === 'GET' || request.method === 'HEAD';
  if (isRead || !hasForeignOrigin(request)) return next();
  const message =
    'this request comes from a page of another origin; a proxy in front of the board must forward Host and X-Forwarded-Proto';
  response.status(403).json({ error: 'forbidden', message });
};
