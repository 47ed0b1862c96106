import type { IncomingMessage } from 'node:http';
import type { Config } from '@ruyi/config';
import { ApiError, ForbiddenError, InvalidRequestError, reasonToForbid, UnauthorizedError } from '@ruyi/contracts';

/** For probes and load balancers: asked without a token and under any name (docs/api.md §1). */
const OPEN_PATHS = new Set(['/health', '/livez', '/readyz']);

/**
 * What every request must be before anything looks at it (docs/api.md §1): it names one host, expects nothing that we
 * do not do, comes from where it may, and carries the token.
 * @param isAuthorized see tokenCheck
 * @returns what is wrong with it
 */
export function guard({ apiToken, allowAnonymous }: Config, isAuthorized: (request: IncomingMessage) => boolean) {
  const isChecked = apiToken === '' && !allowAnonymous;
  return (request: IncomingMessage, path: string): ApiError | undefined => {
    const hosts = hostsNamed(request);
    // In HTTP/1.0, which old probes speak, there is no Host.
    if (hosts > 1 || (hosts === 0 && request.httpVersion !== '1.0')) {
      const message = `must be given once, is given ${hosts === 0 ? 'not at all' : `${hosts} times`}`;
      return new InvalidRequestError([{ path: 'Host', message }]);
    }
    const expected = request.headers.expect;
    if (expected !== undefined && expected.toLowerCase() !== '100-continue') {
      return new ApiError(417, 'invalid_request', 'Expect: nothing but 100-continue is supported');
    }
    if (OPEN_PATHS.has(path)) return undefined;
    const reason = isChecked ? reasonToForbid(request, 'set API_TOKEN') : undefined;
    if (reason !== undefined) return new ForbiddenError(reason);
    return isAuthorized(request) ? undefined : new UnauthorizedError();
  };
}

/** `headers` has only the first one. */
function hostsNamed({ rawHeaders }: IncomingMessage): number {
  let hosts = 0;
  for (let i = 0; i < rawHeaders.length; i += 2) {
    const name = rawHeaders[i] ?? '';
    if (name.length === 4 && name.toLowerCase() === 'host') hosts++;
  }
  return hosts;
}
