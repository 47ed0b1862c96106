import type { ErrorCode, FieldIssue } from '@ruyi/contracts';

/**
 * Codes of the API (docs/api.md §1), and those of the client itself: `unreachable`, nothing answered; `unexpected_answer`, what
 * answered is not Ruyi; `list_changed`, a part that was uploaded has other recipients now.
 */
export type ClientErrorCode = ErrorCode | 'busy' | 'wrong_state' | 'unreachable' | 'unexpected_answer' | 'list_changed';

interface Details {
  /** of HTTP; 0 if nothing answered */
  status: number;
  code: ClientErrorCode;
  /** names the request in the API's log */
  requestId?: string;
  errors?: FieldIssue[];
  doc?: string;
  /** what the API asks to wait before a repeat */
  retryAfterSeconds?: number;
  cause?: unknown;
}

/** Every failure of a call but an abort, which throws the signal's reason. `code` says which it is. */
export class RuyiError extends Error {
  override readonly name = 'RuyiError';
  readonly status: number;
  readonly code: ClientErrorCode;
  readonly requestId: string | undefined;
  readonly errors: FieldIssue[];
  /** the page and heading of the documentation that says what to do; undefined for codes of the client itself */
  readonly doc: string | undefined;
  readonly retryAfterSeconds: number | undefined;

  constructor(message: string, { status, code, requestId, errors = [], doc, retryAfterSeconds, cause }: Details) {
    super(message, cause === undefined ? undefined : { cause });
    this.status = status;
    this.code = code;
    this.requestId = requestId;
    this.errors = errors;
    this.doc = doc;
    this.retryAfterSeconds = retryAfterSeconds;
  }
}

/** An answer of a proxy before the API while the API is away. */
const GATEWAY = [502, 503, 504];

/** The error that an answer other than 2xx is. */
export async function errorOf(response: Response): Promise<RuyiError> {
  const { status } = response;
  const text = await response.text();
  const requestId = response.headers.get('x-request-id');
  const retryAfterSeconds = secondsOf(response.headers.get('retry-after'));
  const details = {
    status,
    ...(requestId === null ? {} : { requestId }),
    ...(retryAfterSeconds === undefined ? {} : { retryAfterSeconds }),
  };
  const body = parsed(text);
  if (body !== undefined) return new RuyiError(body.msg, { ...details, ...explained(body) });
  const code = GATEWAY.includes(status) ? 'unavailable' : 'unexpected_answer';
  return new RuyiError(`the answer ${status} is none of Ruyi's: ${text.trim().slice(0, 100) || 'it is empty'}`, {
    ...details,
    code,
  });
}

interface Refusal {
  msg: string;
  code: ClientErrorCode;
  doc?: string;
  errors?: FieldIssue[];
}

const explained = ({ code, doc, errors = [] }: Refusal) => ({ code, errors, ...(doc === undefined ? {} : { doc }) });

function parsed(text: string): Refusal | undefined {
  try {
    const body: Refusal | null = JSON.parse(text);
    return typeof body?.msg === 'string' && typeof body.code === 'string' ? body : undefined;
  } catch {
    return undefined;
  }
}

/** Retry-After as seconds; it may be a date. */
function secondsOf(header: string | null): number | undefined {
  if (header === null) return undefined;
  const seconds = /^\d+$/.test(header) ? Number(header) : (Date.parse(header) - Date.now()) / 1000;
  return Number.isFinite(seconds) ? Math.max(0, seconds) : undefined;
}

/** Nothing answered, or the answer was cut. */
export function unreachable(base: string, cause: unknown): RuyiError {
  const reason = reasonOf(cause);
  return new RuyiError(`${base || 'the API'} does not answer (${reason})`, { status: 0, code: 'unreachable', cause });
}

/** fetch hides the reason in its error's cause. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const { cause } = error;
  if (cause instanceof Error) return 'code' in cause ? String(cause.code) : cause.message;
  return error.message;
}
