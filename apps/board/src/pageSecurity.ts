import { isLoopback } from '@ruyi/config';
import type { RequestHandler } from 'express';

/** Bull Board's page has inline styles, no inline script; its web font is left out: nothing is fetched from elsewhere. */
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
  // Messages are on these pages; only the fingerprinted scripts and styles may stay in a cache.
  if (!request.path.startsWith('/static/')) response.set('Cache-Control', 'no-store');
  next();
};

/**
 * Without a token the loopback address is the only protection, and a web page whose name is made to point to 127.0.0.1
 * (DNS rebinding) would pass it: so the request must have been made to a loopback name.
 */
export const ownHostOnly: RequestHandler = (request, response, next) => {
  const name = (request.headers.host ?? '').replace(/:\d+$/, '');
  if (isLoopback(name)) return next();
  response.status(403).json({ error: 'open the board as http://127.0.0.1, or set BOARD_TOKEN' });
};
