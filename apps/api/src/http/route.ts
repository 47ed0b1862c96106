import type { IncomingMessage } from 'node:http';
import {
  type FieldIssue,
  InvalidRequestError,
  PayloadTooLargeError,
  type Request,
  type RequestName,
  type RequestSchemas,
  TOO_LARGE,
} from '@ruyi/contracts';
import type { ApiContext } from '../context.ts';
import { SMALL_BODY_BYTES } from './limits.ts';

export interface Answered {
  /** an object is sent as JSON; bytes must be JSON already; a string is sent as plain text */
  body: object | string | Uint8Array;
  status?: number;
  headers?: Record<string, string>;
}

/** What a handler may look at besides the parsed request. */
export interface RequestDetails {
  params: Record<string, string>;
  headers: IncomingMessage['headers'];
  /** whether the request carries the token; only a path that is open to everybody is served without it */
  isAuthorized(): boolean;
}

export interface Route {
  method: 'GET' | 'POST';
  path: string;
  /** names the schema of the body (POST) or the query (GET); absent if there is nothing to parse */
  request?: RequestName;
  handle(context: ApiContext, schemas: RequestSchemas, input: unknown, details: RequestDetails): Promise<Answered>;
}

/** The requests that may name up to MAX_RECIPIENTS uids. */
const WITH_RECIPIENTS: readonly RequestName[] = [
  'Send',
  'SendBatch',
  'ChannelPut',
  'SubscriberAdd',
  'SubscriberRemove',
];

/** The largest body that this route accepts, in bytes (docs/api.md §1). */
export function bodyBytesOf({ request }: Route, { maxBodyBytes }: { maxBodyBytes: number }): number {
  const isLarge = request !== undefined && WITH_RECIPIENTS.includes(request);
  return isLarge ? maxBodyBytes : Math.min(maxBodyBytes, SMALL_BODY_BYTES);
}

export const ok: Answered = { body: { status: 200 } };

/** A route whose request has a schema; `handle` gets the parsed request. */
export function route<N extends RequestName>(
  method: Route['method'],
  path: string,
  request: N,
  handle: (context: ApiContext, input: Request<N>, details: RequestDetails) => Promise<Answered>,
): Route {
  return {
    method,
    path,
    request,
    handle: (context, schemas, input, details) => handle(context, parse(schemas, request, input), details),
  };
}

/** @throws InvalidRequestError with every broken field, or PayloadTooLargeError if a too large payload is the first */
function parse<N extends RequestName>(schemas: RequestSchemas, name: N, input: unknown): Request<N> {
  const schema: RequestSchemas[N] = schemas[name];
  const parsed = schema.safeParse(input);
  if (parsed.success) return parsed.data as Request<N>;
  const issues = parsed.error.issues.map((issue): FieldIssue & { tooLarge: boolean } => ({
    path: issue.path.map(String).join('.'),
    message: issue.message,
    tooLarge: issue.code === 'custom' && issue.params?.answer === TOO_LARGE,
  }));
  const [first, ...rest] = issues;
  if (!first) throw new Error('a request was refused without an issue');
  if (first.tooLarge) throw new PayloadTooLargeError(`${first.path}: ${first.message}`);
  const plain = ({ path, message }: FieldIssue): FieldIssue => ({ path, message });
  throw new InvalidRequestError([plain(first), ...rest.map(plain)]);
}
