import type { IncomingMessage } from 'node:http';
import {
  type AnswerName,
  type ErrorCode,
  type FieldIssue,
  InvalidRequestError,
  PayloadTooLargeError,
  type Request,
  type RequestLimits,
  type RequestName,
  type RequestSchemas,
  TOO_LARGE,
} from '@ruyi/contracts';
import type { ApiContext } from '../context.ts';
import { SMALL_BODY_BYTES } from './limits.ts';

export interface Answered {
  /** an object is sent as JSON; bytes must be JSON already; a string is sent as plain text */
  body: object | string | Uint8Array;
  /** sent as NDJSON instead of the body, as fast as the client reads them */
  lines?: AsyncIterable<string>;
  status?: number;
  headers?: Record<string, string>;
}

/** What a handler may look at besides the parsed request. */
export interface RequestDetails {
  params: Readonly<Record<string, string>>;
  headers: IncomingMessage['headers'];
  /** whether the request carries the token; only a path that is open to everybody is served without it */
  isAuthorized(): boolean;
}

/** An answer that is not a JSON object or array. */
interface OtherAnswer {
  /** its media types */
  types: string[];
  about: string;
  /** of NDJSON: the schema of each line */
  line?: AnswerName;
}

/** What the OpenAPI document says about a route besides its method, path and request. */
interface Description {
  /** the method of @ruyi/client that calls it */
  operation: string;
  summary: string;
  /** names the schema of its answer */
  answer: AnswerName | OtherAnswer;
  /** a status other than 200 that comes with the same schema */
  alsoAnswers?: number;
  /** codes that it answers besides those that every route may */
  errors?: ErrorCode[];
  /** a body to try it out with */
  example?: object;
  /** headers of the request that it looks at */
  headers?: Record<string, string>;
}

/** A route whose request is parsed before it is handled. */
export interface ParsedRoute extends Description {
  method: 'GET' | 'POST';
  path: string;
  /** names the schema of the body (POST) or the query (GET); absent if there is nothing to parse */
  request?: RequestName;
  /** no body is as good as {} */
  mayLackBody?: true;
  handle(
    context: ApiContext,
    schemas: RequestSchemas,
    input: Record<string, unknown>,
    details: RequestDetails,
  ): Promise<Answered>;
}

/** A route that reads the body itself, as it arrives. */
interface StreamRoute extends Description {
  method: 'PUT';
  path: string;
  receive(
    context: ApiContext,
    request: IncomingMessage,
    details: RequestDetails & {
      /** a body that brings nothing for this long is refused */
      idleMs: number;
    },
  ): Promise<Answered>;
}

export type Route = ParsedRoute | StreamRoute;

/** Routes of one subject. */
export interface Section {
  name: string;
  description: string;
  routes: Route[];
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
export function bodyBytesOf({ request }: ParsedRoute, { maxBodyBytes }: { maxBodyBytes: number }): number {
  const isLarge = request !== undefined && WITH_RECIPIENTS.includes(request);
  return isLarge ? maxBodyBytes : Math.min(maxBodyBytes, SMALL_BODY_BYTES);
}

export const ok: Answered = { body: { status: 200 } };

/** A route whose request has a schema; `handle` gets the parsed request. */
export function route<N extends RequestName>({
  request,
  usual = () => undefined,
  handle,
  ...others
}: Omit<ParsedRoute, 'request' | 'handle'> & {
  request: N;
  /** reads usual requests as the schema would, and faster; what it does not recognize is left to the schema */
  usual?(input: Record<string, unknown>, limits: RequestLimits): Request<N> | undefined;
  handle(context: ApiContext, input: Request<N>, details: RequestDetails): Promise<Answered>;
}): ParsedRoute {
  return {
    ...others,
    request,
    handle: (context, schemas, input, details) =>
      handle(context, usual(input, context.config) ?? parse(schemas, request, input), details),
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
