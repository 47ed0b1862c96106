import { createHash, timingSafeEqual } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { tokensOf } from '@ruyi/config';

const digest = (text: string) => createHash('sha256').update(text).digest();

/**
 * Tells whether a request carries the API token, or one of two, as a bearer token or in the header `token` (docs/api.md §1). The tokens
 * are compared in constant time.
 */
export function tokenCheck(apiToken: string): (request: IncomingMessage) => boolean {
  if (apiToken === '') return () => true;
  const expected = tokensOf(apiToken).map(digest);
  // All are compared, whichever matches: the time tells nothing.
  const matches = (given: string) => expected.filter((token) => timingSafeEqual(digest(given), token)).length > 0;
  return ({ headers: { authorization = '', token = '' } }) => {
    // A token may contain spaces.
    const [, scheme = '', bearer = ''] = /^(\S*) (.*)$/s.exec(authorization) ?? [];
    return (scheme.toLowerCase() === 'bearer' && matches(bearer)) || (typeof token === 'string' && matches(token));
  };
}
