import {
  ApiError,
  CorruptError,
  ForbiddenError,
  IdempotencyConflictError,
  InvalidJsonError,
  InvalidRequestError,
  MethodNotAllowedError,
  NotFoundError,
  OverloadedError,
  PayloadTooLargeError,
  UnauthorizedError,
  UnavailableError,
} from '@ruyi/contracts';
import { expect, test } from 'vitest';

test.each<[ApiError, number, string, Record<string, string>]>([
  [new InvalidJsonError('why'), 400, 'invalid_json', {}],
  [new InvalidRequestError([{ path: 'uid', message: 'is required' }]), 400, 'invalid_request', {}],
  [new UnauthorizedError(), 401, 'unauthorized', { 'WWW-Authenticate': 'Bearer' }],
  [new ForbiddenError('why'), 403, 'forbidden', {}],
  [new NotFoundError('why'), 404, 'not_found', {}],
  [new MethodNotAllowedError('GET', 'POST'), 405, 'method_not_allowed', { Allow: 'POST' }],
  [new IdempotencyConflictError('why'), 409, 'idempotency_conflict', {}],
  [new PayloadTooLargeError('why'), 413, 'payload_too_large', {}],
  [new OverloadedError('why', 2), 429, 'overloaded', { 'Retry-After': '2' }],
  [new UnavailableError('why'), 503, 'unavailable', { 'Retry-After': '1' }],
  [new CorruptError('why'), 500, 'corrupt', {}],
])('%s has the status, code and headers of the contract, and says what is wrong', (error, status, code, headers) => {
  expect(error).toBeInstanceOf(ApiError);
  expect(error.toBody()).toMatchObject({ status, code, msg: error.message });
  expect(error.message).not.toBe('');
  expect(error).toMatchObject({ status, headers });
});

test('a refused request names its first broken field, and holds all of them', () => {
  const issues: [{ path: string; message: string }, { path: string; message: string }] = [
    { path: 'subscribers.3', message: 'must be a string' },
    { path: 'payload', message: 'is required' },
  ];
  expect(new InvalidRequestError(issues).toBody()).toEqual({
    msg: 'subscribers.3: must be a string',
    status: 400,
    code: 'invalid_request',
    doc: 'docs/errors.md#invalid_request',
    errors: issues,
  });
  expect(new InvalidRequestError([{ path: '', message: 'names too many' }]).toBody().msg).toBe('names too many');
});

test('an answer names at most 20 fields, and repeats a long text of the request only in part', () => {
  const issue = { path: `payload.${'x'.repeat(1_000_000)}`, message: `is no ${'y'.repeat(1_000_000)}` };
  const body = new InvalidRequestError([issue, ...new Array(1000).fill(issue)]).toBody();
  expect(body.errors).toHaveLength(20);
  expect(body.errors?.[0]?.path).toMatch(/^payload\.x{200,}…$/);
  expect(body.msg).toMatch(/^payload\.x{200,}…$/);
  expect(JSON.stringify(body).length).toBeLessThan(20_000);
  expect(new NotFoundError('z'.repeat(1_000_000)).toBody().msg.length).toBeLessThan(1000);
});
