/** What the 403 rule of docs/api.md §1 looks at; names of headers in lower case, as Node has them. */
export interface WebRequest {
  method?: string | undefined;
  headers: Readonly<Record<string, string | string[] | undefined>>;
}

/** What nearly every request says: not worth a URL each. */
const USUAL_HOST = /^(?:127\.0\.0\.1|localhost)(?::\d{1,5})?$/;
const LOOPBACK_V4 = /^127(\.\d{1,3}){3}$/;
/** ::ffff:127.0.0.0/104 as a URL writes it: its first group of the last two is 7f00 to 7fff. */
const MAPPED_LOOPBACK = /^\[::ffff:7f[\da-f]{2}:[\da-f]{1,4}\]$/;
/** Nothing of a URL but a host and a port; a URL parser would skip blanks and take a user or a path. */
const HOST = /^(?:[\w.-]+|\[[\da-f:.]+\])(?::\d{1,5})?$/i;

/** `http://name:port` as the parser of the browsers understands it, or undefined where it is none. */
function parsed(scheme: string, host: string): URL | undefined {
  const text = `${scheme}://${host}`;
  return HOST.test(host) && URL.canParse(text) ? new URL(text) : undefined;
}

/**
 * Whether a Host header names this machine's loopback, with whatever port. A name that a DNS server only says to be
 * 127.0.0.1 is not one: that is how a web page would get past its browser (DNS rebinding).
 */
export function isLoopbackHost(host: string): boolean {
  if (USUAL_HOST.test(host)) return true;
  const name = parsed('http', host)?.hostname.replace(/\.$/, '') ?? '';
  return name === 'localhost' || name === '[::1]' || LOOPBACK_V4.test(name) || MAPPED_LOOPBACK.test(name);
}

const text = (header: string | string[] | undefined) => (Array.isArray(header) ? header.join(', ') : header);

/** Whether `Origin` is there and is not the request's own: another scheme, host or port, or `null`. */
export function hasForeignOrigin({ headers }: WebRequest): boolean {
  const origin = text(headers.origin);
  if (origin === undefined) return false;
  // Only a proxy can say so: a page that sets this header is asked for a preflight first, which nobody grants.
  const scheme = text(headers['x-forwarded-proto']) === 'https' ? 'https' : 'http';
  return origin !== parsed(scheme, text(headers.host) ?? '')?.origin;
}

const OTHER_SITES = ['cross-site', 'same-site'];

/**
 * The rule of docs/api.md §1 for a server that asks for no token: it serves programs of this machine and its own pages,
 * no web page of another origin. `undefined` where the request may pass, else what is wrong with it.
 * @param remedy what to do about it, for example `set API_TOKEN`
 */
export function reasonToForbid(request: WebRequest, remedy: string): string | undefined {
  if (!isLoopbackHost(text(request.headers.host) ?? '')) {
    return `without a token only loopback names are served: ask for 127.0.0.1 or localhost, or ${remedy}`;
  }
  // A link to us, or an address typed in; its answer is a page of our own origin, which the other one cannot read.
  const isNavigation = text(request.headers['sec-fetch-mode']) === 'navigate';
  if (isNavigation && (request.method === 'GET' || request.method === 'HEAD')) return undefined;
  const sites = (text(request.headers['sec-fetch-site']) ?? '').split(',').map((site) => site.trim().toLowerCase());
  if (hasForeignOrigin(request) || sites.some((site) => OTHER_SITES.includes(site))) {
    return `without a token no web page of another origin is served; ${remedy}`;
  }
  return undefined;
}
