import { type EndpointName, type Endpoints, PLACES } from './endpoints.ts';
import { errorOf, RuyiError, unreachable } from './errors.ts';
import { randomKey } from './randomKey.ts';
import { pause, pauseAfter } from './retry.ts';

export interface ClientOptions {
  /** `http://127.0.0.1:5001`; in a browser absent for the page's own origin */
  url?: string;
  /** API_TOKEN of the installation */
  token?: string;
  /** how long a call is repeated before its error is thrown; 60 */
  retrySeconds?: number;
  /** how long one try may take; 60. An upload has five times as long */
  timeoutSeconds?: number;
  fetch?: typeof fetch;
}

export interface CallOptions {
  /** ends the call, and its repeats, with the signal's reason */
  signal?: AbortSignal;
  /** more headers, e.g. `Prefer: wait=5` or `x-request-id` */
  headers?: Record<string, string>;
  retrySeconds?: number;
}

/** What the client says over HTTP for one call. */
interface HttpRequest {
  method: string;
  url: string;
  headers: Record<string, string>;
  body?: string | Uint8Array<ArrayBuffer> | ReadableStream<Uint8Array>;
  /** what fetch asks for with a body that is sent while it is read */
  duplex?: 'half';
  redirect?: 'error';
  window?: null;
}

/** One try: what is asked, and how its answer is taken. */
interface Try<T> {
  http: HttpRequest;
  /** undefined: none */
  timeoutMs: number | undefined;
  signal: AbortSignal | undefined;
  alsoAnswers: number | undefined;
  read(response: Response): Promise<T>;
}

/** Calls endpoints of one installation, and repeats what a repeat can heal. */
export class Caller {
  readonly #base: string;
  readonly #headers: Record<string, string>;
  readonly #retrySeconds: number;
  readonly #timeoutMs: number;
  readonly #fetch: typeof fetch;

  /** @throws TypeError for a URL or a token that no request can be made with */
  constructor({ url = '', token = '', retrySeconds = 60, timeoutSeconds = 60, fetch: given }: ClientOptions = {}) {
    this.#base = baseOf(url);
    this.#headers = token === '' ? {} : { authorization: `Bearer ${token}` };
    new Headers(this.#headers);
    this.#retrySeconds = retrySeconds;
    this.#timeoutMs = timeoutSeconds * 1000;
    // Called as a method of another object, a browser's fetch throws.
    this.#fetch = given ?? ((input, init) => fetch(input, init));
  }

  /** @throws RuyiError, or the signal's reason */
  async json<N extends EndpointName>(
    name: N,
    request: Endpoints[N]['request'],
    options?: CallOptions,
  ): Promise<Endpoints[N]['answer']> {
    return jsonOf(await this.text(name, request, options));
  }

  /** As `json`, for an answer that is text. */
  async text<N extends EndpointName>(
    name: N,
    request: Endpoints[N]['request'],
    options?: CallOptions,
  ): Promise<string> {
    return this.#repeat(name, request, options, (response) => response.text());
  }

  /** As `json`, for an answer that is read as it arrives. Only its beginning is repeated. */
  async stream<N extends EndpointName>(
    name: N,
    request: Endpoints[N]['request'],
    options?: CallOptions,
  ): Promise<ReadableStream<Uint8Array>> {
    return this.#repeat(name, request, options, async ({ body }) => body ?? new ReadableStream());
  }

  async #repeat<T>(
    name: EndpointName,
    request: unknown,
    { signal, headers = {}, retrySeconds = this.#retrySeconds }: CallOptions = {},
    read: (response: Response) => Promise<T>,
  ): Promise<T> {
    // Written once: every try has the same key.
    const http = this.#requestOf(name, request, headers);
    const timeoutMs = this.#timeoutOf(http);
    // A stream is read once, so it cannot be sent again.
    const deadline = performance.now() + (http.duplex ? 0 : retrySeconds * 1000);
    for (let failures = 1; ; failures++) {
      signal?.throwIfAborted();
      try {
        return await this.#try({ http, timeoutMs, signal, alsoAnswers: PLACES[name].alsoAnswers, read });
      } catch (error) {
        const wait = pauseAfter(error, failures);
        if (wait === undefined || performance.now() + wait > deadline) throw error;
        await pause(wait, signal);
      }
    }
  }

  /** An upload takes as long as whoever sends its stream; the API watches that it makes progress. */
  #timeoutOf({ method, duplex }: HttpRequest): number | undefined {
    if (duplex) return undefined;
    return method === 'PUT' ? 5 * this.#timeoutMs : this.#timeoutMs;
  }

  async #try<T>({ http: { url, ...init }, timeoutMs, signal, alsoAnswers, read }: Try<T>): Promise<T> {
    const own = new AbortController();
    const abort = () => own.abort(signal?.reason);
    signal?.addEventListener('abort', abort, { once: true });
    const late = () => own.abort(new Error(`nothing for ${(timeoutMs ?? 0) / 1000} s`));
    const timer = timeoutMs === undefined ? undefined : setTimeout(late, timeoutMs);
    try {
      const response = await this.#fetch(url, { ...init, signal: own.signal });
      if (!response.ok && response.status !== alsoAnswers) throw await errorOf(response);
      return await read(response);
    } catch (error) {
      if (signal?.aborted) throw signal.reason;
      throw error instanceof RuyiError ? error : unreachable(this.#base, error);
    } finally {
      clearTimeout(timer);
      signal?.removeEventListener('abort', abort);
    }
  }

  #requestOf(name: EndpointName, request: unknown, more: Record<string, string>): HttpRequest {
    const { method, path, isKeyed } = PLACES[name];
    const fields = new Map<string, unknown>(Object.entries(request ?? {}));
    const place = path.replace(/\{(\w+)\}/g, (_, field: string) => {
      const value = String(fields.get(field));
      fields.delete(field);
      return encodeURIComponent(value);
    });
    const url = this.#base + place;
    const headers = { ...this.#headers, ...more };
    if (method === 'GET') return { method, url: url + queryOf(fields), headers };
    if (method === 'PUT') return { method, url, headers, ...bodyOf(fields.get('lines')) };
    if (isKeyed && !fields.get('client_msg_no')) fields.set('client_msg_no', randomKey());
    // text/plain: a page of another port of this host need not ask first, and the API does not look at it.
    return { method, url, headers, body: JSON.stringify(Object.fromEntries(fields)) };
  }
}

function baseOf(url: string): string {
  if (url === '' && 'location' in globalThis) return '';
  if (!/^https?:\/\//i.test(url) || !URL.canParse(url))
    throw new TypeError(`url=${url}: must be http://… or https://…`);
  return url.replace(/\/+$/, '');
}

function queryOf(fields: Map<string, unknown>): string {
  const query = new URLSearchParams();
  for (const [name, value] of fields) if (value !== undefined) query.set(name, String(value));
  return query.size === 0 ? '' : `?${query}`;
}

/**
 * For a stream: without `redirect` and `window` Node's fetch keeps all of it in memory, to send it once more to where it is
 * redirected.
 */
const AS_A_STREAM = { duplex: 'half', redirect: 'error', window: null } as const;

function bodyOf(lines: unknown): Partial<HttpRequest> {
  if (typeof lines === 'string') return { body: new TextEncoder().encode(lines) };
  if (lines instanceof Uint8Array) return { body: new Uint8Array(lines) };
  if (lines instanceof ReadableStream) return { body: lines, ...AS_A_STREAM };
  throw new TypeError('lines must be a string, bytes or a ReadableStream of bytes');
}

function jsonOf<T>(text: string): T {
  try {
    return JSON.parse(text);
  } catch (cause) {
    const message = `the answer is no JSON: ${text.trim().slice(0, 100)}`;
    throw new RuyiError(message, { status: 200, code: 'unexpected_answer', cause });
  }
}
