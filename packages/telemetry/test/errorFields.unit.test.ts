import { expect, test } from 'vitest';
import { errorFields } from '../src/errorFields.ts';

const failed = (message: string, more: object = {}) => Object.assign(new Error(message), more);

test('an error keeps its type, message, stack and code', () => {
  const error = failed('connect ECONNREFUSED', { code: 'ECONNREFUSED', port: 6379, isFatal: true });
  const expected = { type: 'Error', message: error.message, code: 'ECONNREFUSED', port: 6379, isFatal: true };
  expect(errorFields(error)).toEqual({ ...expected, stack: error.stack });
});

test('its causes are part of the message', () => {
  const error = new Error('outer', { cause: new Error('inner') });
  expect(errorFields(error)).toMatchObject({ message: 'outer: inner' });
});

test('a failed command of Redis keeps its name and none of its arguments', () => {
  const command = { name: 'hset', args: ['key', 'a payload'] };
  const kept = errorFields(failed('EXECABORT', { command, previousErrors: [{ command }] }));
  expect(kept).toMatchObject({ command: { name: 'hset' } });
  expect(JSON.stringify(kept)).not.toContain('a payload');
});

test('errors that come together are kept, the first of them', () => {
  const errors = Array.from({ length: 100 }, (_, i) => failed(`error ${i}`, { command: { args: ['a payload'] } }));
  const text = JSON.stringify(errorFields(new AggregateError(errors)));
  expect(text).toContain('error 0');
  expect(text).not.toMatch(/error 99|a payload/);
});

test('whatever an error says, the log keeps at most some thousand characters of it', () => {
  const long = 'x'.repeat(1_000_000);
  for (const error of [failed(long), failed('', { code: long }), new Error('outer', { cause: failed(long) }), long]) {
    expect(JSON.stringify(errorFields(error)).length).toBeLessThan(13_000);
  }
});
