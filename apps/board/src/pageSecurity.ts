import { hasForeignOrigin, reasonToForbid } from '@ruyi/contracts';
import type { RequestHandler } from 'express';

/** Bull Board's page has inline styles but no inline script. */
const CONTENT_SECURITY_POLICY = [
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
    'Content-Security-Policy': CONTENT_SECURITY_POLICY,
    'X-Content-Type-Options': 'nosniff',
    'X-Frame-Options': 'DENY',
    'Referrer-Policy': 'no-referrer',
    'Cross-Origin-Opener-Policy': 'same-origin',
    'Cross-Origin-Resource-Policy': 'same-origin',
  });
  // These pages show messages, so only the fingerprinted scripts and styles may be cached.
  if (!request.path.startsWith('/static/')) response.set('Cache-Control', 'no-store');
  next();
};

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
