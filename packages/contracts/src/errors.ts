/** One broken field: where it is and what to do about it. */
export interface FieldIssue {
  path: string;
  message: string;
}

/** An answer names at most this many broken fields (docs/api.md §1). */
const MOST_ISSUES = 20;
/** A text in an answer is cut after this many characters, because it may quote the request. */
const MOST_CHARACTERS = 300;

const cut = (text: string) => (text.length > MOST_CHARACTERS ? `${text.slice(0, MOST_CHARACTERS)}…` : text);

export type ErrorCode =
  | 'invalid_json'
  | 'invalid_request'
  | 'unauthorized'
  | 'forbidden'
  | 'not_found'
  | 'method_not_allowed'
  | 'timeout'
  | 'idempotency_conflict'
  | 'wrong_state'
  | 'busy'
  | 'payload_too_large'
  | 'overloaded'
  | 'headers_too_large'
  | 'unavailable'
  | 'corrupt'
  | 'internal';

interface CodeMeaning {
  /** of HTTP */
  statuses: number[];
  meaning: string;
}

/** Every code with what it means, in a few words; docs/errors.md says what to do about it. */
export const ERROR_CODES: Record<ErrorCode, CodeMeaning> = {
  invalid_json: { statuses: [400], meaning: 'the body is not a JSON object' },
  invalid_request: { statuses: [400, 417], meaning: 'a field is missing, of the wrong type or out of bounds' },
  unauthorized: { statuses: [401], meaning: 'the request does not carry the token' },
  forbidden: { statuses: [403], meaning: 'no token is set, and the request may come from a web page' },
  not_found: { statuses: [404], meaning: 'there is nothing of this name' },
  method_not_allowed: { statuses: [405], meaning: 'the endpoint has another method' },
  timeout: { statuses: [408], meaning: 'the request arrived too slowly' },
  idempotency_conflict: { statuses: [409], meaning: 'another request had the same client_msg_no' },
  wrong_state: { statuses: [409], meaning: 'the broadcast is in a state in which this cannot be done' },
  busy: { statuses: [409], meaning: 'another request uploads this part right now' },
  payload_too_large: { statuses: [413], meaning: 'the body or the payload is too large' },
  overloaded: { statuses: [429], meaning: 'nothing was queued, try again after Retry-After' },
  headers_too_large: { statuses: [431], meaning: 'the headers are larger than 16 KiB' },
  corrupt: { statuses: [500], meaning: 'what the request reads is damaged in Redis' },
  internal: { statuses: [500], meaning: 'a defect; the log has more under the same x-request-id' },
  unavailable: {
    statuses: [503],
    meaning: 'Redis or the search engine does not answer; after a write the outcome is unknown',
  },
};

/** The body of every error answer (docs/api.md §1). */
export interface ErrorBody {
  msg: string;
  status: number;
  code: ErrorCode;
  /** where the code is explained */
  doc: string;
  errors?: FieldIssue[];
}

/** The body of an error. It names a page of this repository, not of a server, so it is right wherever the API runs. */
export const errorBody = (status: number, code: ErrorCode, msg: string): ErrorBody => ({
  msg: cut(msg),
  status,
  code,
  doc: `docs/errors.md#${code}`,
});

/** An error with its own status and code (docs/api.md §1). Anything else that is thrown is answered 500 `internal`. */
export class ApiError extends Error {
  constructor(
    readonly status: number,
    readonly code: ErrorCode,
    message: string,
    readonly headers: Record<string, string> = {},
  ) {
    super(message);
    this.name = new.target.name;
  }
  toBody(): ErrorBody {
    return errorBody(this.status, this.code, this.message);
  }
}

export class InvalidJsonError extends ApiError {
  constructor(message: string) {
    super(400, 'invalid_json', message);
  }
}

/** `msg` names the first broken field, `errors` the first 20 of them. */
export class InvalidRequestError extends ApiError {
  constructor(readonly issues: [FieldIssue, ...FieldIssue[]]) {
    const [first] = issues;
    super(400, 'invalid_request', first.path === '' ? first.message : `${first.path}: ${first.message}`);
  }
  override toBody(): ErrorBody {
    const errors = this.issues.slice(0, MOST_ISSUES);
    return {
      ...super.toBody(),
      errors: errors.map(({ path, message }) => ({ path: cut(path), message: cut(message) })),
    };
  }
}

export class UnauthorizedError extends ApiError {
  constructor() {
    super(401, 'unauthorized', 'send the API token as "Authorization: Bearer <token>" or in the header "token"', {
      'WWW-Authenticate': 'Bearer',
    });
  }
}

/**
 * The request may come from a web page of another origin, or its Host is not a loopback name (docs/api.md §1, web pages).
 */
export class ForbiddenError extends ApiError {
  constructor(message: string) {
    super(403, 'forbidden', message);
  }
}

export class NotFoundError extends ApiError {
  constructor(message: string) {
    super(404, 'not_found', message);
  }
}

export class MethodNotAllowedError extends ApiError {
  constructor(method: string, allowed: string) {
    super(405, 'method_not_allowed', `${method} is not allowed here, use ${allowed}`, { Allow: allowed });
  }
}

/** Another request had the same `client_msg_no` (docs/api.md §2, Idempotency). Nothing was stored. */
export class IdempotencyConflictError extends ApiError {
  constructor(message: string) {
    super(409, 'idempotency_conflict', message);
  }
}

/** The broadcast is in a state in which this cannot be done to it (docs/api.md §4). */
export class WrongStateError extends ApiError {
  constructor(message: string) {
    super(409, 'wrong_state', message);
  }
}

/** Somebody else uploads this part of a broadcast right now (docs/api.md §4). */
export class BusyError extends ApiError {
  constructor(message: string) {
    super(409, 'busy', message, { 'Retry-After': '1' });
  }
}

export class PayloadTooLargeError extends ApiError {
  constructor(message: string) {
    super(413, 'payload_too_large', message);
  }
}

/** There is no room: in the backlog, in Redis' memory or for bodies (docs/api.md §1). Nothing was queued. */
export class OverloadedError extends ApiError {
  constructor(message: string, retryAfterSeconds = 1) {
    super(429, 'overloaded', message, { 'Retry-After': String(retryAfterSeconds) });
  }
}

/** Redis or the search engine did not answer in time. The outcome of a write is unknown (docs/api.md §1). */
export class UnavailableError extends ApiError {
  constructor(message: string, retryAfterSeconds = 1) {
    super(503, 'unavailable', message, { 'Retry-After': String(retryAfterSeconds) });
  }
}

/** Data that the request reads is damaged in Redis. The message names the channel or uid (docs/api.md §1). */
export class CorruptError extends ApiError {
  constructor(message: string) {
    super(500, 'corrupt', message);
  }
}
