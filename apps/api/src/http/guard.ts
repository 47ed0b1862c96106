import type { IncomingMessage } from 'node:http';
import type { Config } from '@ruyi/config';
import { ApiError, ForbiddenError, InvalidRequestError, reasonToForbid, UnauthorizedError } from '@ruyi/contracts';
import { isExempt, isWithoutToken } from './openPaths.ts';

/**
 * Checks every request before anything else looks at it (docs/api.md §1): it must name exactly one host, expect nothing
 * but 100-continue, come from an allowed origin, and carry the token.
 * @param isAuthorized see tokenCheck
 * @returns a check, which returns the refusal, or undefined if the request may pass
 */
export function guard({ apiToken, allowAnonymous }: Config, isAuthorized: (request: IncomingMessage) => boolean) {
  const isChecked = apiToken === '' && !allowAnonymous;
  return (request: IncomingMessage, path: string): ApiError | undefined => {
    const hosts = hostsNamed(request);
    // HTTP/1.0, which old probes speak, has no Host.
    if (hosts > 1 || (hosts === 0 && request.httpVersion !== '1.0')) {
      const message = `must be given once, is given ${hosts === 0 ? 'not at all' : `${hosts} times`}`;
      return new InvalidRequestError([{ path: 'Host', message }]);
    }
    const expected = request.headers.expect;
    if (expected !== undefined && expected.toLowerCase() !== '100-continue') {
      return new ApiError(417, 'invalid_request', 'Expect: nothing but 100-continue is supported');
    }
    if (isExempt(path)) return undefined;
    const reason = isChecked ? reasonToForbid(request, 'set API_TOKEN') : undefined;
    if (reason !== undefined) return new ForbiddenError(reason);
    return isWithoutToken(path) || isAuthorized(request) ? undefined : new UnauthorizedError();
  };
}

/** Counts the Host headers; `headers` has only the first one. */
function hostsNamed({ rawHeaders }: IncomingMessage): number {
  let hosts = 0;
  for (let i = 0; i < rawHeaders.length; i += 2) {
    const name = rawHeaders[i] ?? '';
    if (name.length === 4 && name.toLowerCase() === 'host') hosts++;
  }
  return hosts;
}
