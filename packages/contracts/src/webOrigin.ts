/** The part of a request that the 403 rule of docs/api.md §1 looks at. Header names are in lower case, as in Node. */
export interface WebRequest {
  method?: string | undefined;
  headers: Readonly<Record<string, string | string[] | undefined>>;
}

/** The Host of nearly every request, recognized without parsing a URL. */
const USUAL_HOST = /^(?:127\.0\.0\.1|localhost)(?::\d{1,5})?$/;
const LOOPBACK_V4 = /^127(\.\d{1,3}){3}$/;
/** ::ffff:127.0.0.0/104 as a URL writes it: 127 becomes 7f, the first byte of the last two groups. */
const MAPPED_LOOPBACK = /^\[::ffff:7f[\da-f]{2}:[\da-f]{1,4}\]$/;
/** A host and a port and nothing else. A URL parser alone would skip white space and accept a user or a path. */
const HOST = /^(?:[\w.-]+|\[[\da-f:.]+\])(?::\d{1,5})?$/i;

/** Parses `scheme://host` as browsers do; undefined if it is not a URL. */
function parsed(scheme: string, host: string): URL | undefined {
  const text = `${scheme}://${host}`;
  return HOST.test(host) && URL.canParse(text) ? new URL(text) : undefined;
}

/**
 * Whether a Host header names the loopback of this machine, with any port. A name that merely resolves to 127.0.0.1 does
 * not count: with such a name a web page gets past its browser (DNS rebinding).
 */
export function isLoopbackHost(host: string): boolean {
  if (USUAL_HOST.test(host)) return true;
  const name = parsed('http', host)?.hostname.replace(/\.$/, '') ?? '';
  return name === 'localhost' || name === '[::1]' || LOOPBACK_V4.test(name) || MAPPED_LOOPBACK.test(name);
}

const text = (header: string | string[] | undefined) => (Array.isArray(header) ? header.join(', ') : header);

/** Whether the request has an `Origin` that is not its own: another scheme, host or port, or `null`. */
export function hasForeignOrigin({ headers }: WebRequest): boolean {
  const origin = text(headers.origin);
  if (origin === undefined) return false;
  // A page cannot forge this header: setting it makes the browser ask for permission first (preflight), which is never given.
  const scheme = text(headers['x-forwarded-proto']) === 'https' ? 'https' : 'http';
  return origin !== parsed(scheme, text(headers.host) ?? '')?.origin;
}

const OTHER_SITES = ['cross-site', 'same-site'];

/**
 * The rule of docs/api.md §1 for a server that asks for no token: it serves programs on this machine and its own pages, but
 * no web page of another origin.
 * @param remedy what the user can do about a refusal, for example `set API_TOKEN`
 * @returns why the request is refused; undefined if it may pass
 */
export function reasonToForbid(request: WebRequest, remedy: string): string | undefined {
  if (!isLoopbackHost(text(request.headers.host) ?? '')) {
    return `without a token only loopback names are served: ask for 127.0.0.1 or localhost, or ${remedy}`;
  }
  // Someone followed a link or typed the address. The page that linked here cannot read the answer.
  const isNavigation = text(request.headers['sec-fetch-mode']) === 'navigate';
  if (isNavigation && (request.method === 'GET' || request.method === 'HEAD')) return undefined;
  const sites = (text(request.headers['sec-fetch-site']) ?? '').split(',').map((site) => site.trim().toLowerCase());
  if (hasForeignOrigin(request) || sites.some((site) => OTHER_SITES.includes(site))) {
    return `without a token no web page of another origin is served; ${remedy}`;
  }
  return undefined;
}
