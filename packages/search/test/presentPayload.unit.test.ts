import { highlight, type Presentation, presentPayload } from '@ruyi/search';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { objectText } from './jsonText.ts';

const PLAIN: Presentation = { highlights: [], text: {}, mode: 'object' };
const base64 = (text: string | Buffer) => Buffer.from(text).toString('base64');
const shown = (payload: string | Buffer, how: Partial<Presentation> = {}) =>
  presentPayload(base64(payload), { ...PLAIN, ...how }).toString();
const marking = (query: string, ...fields: string[]): Partial<Presentation> => ({
  highlights: fields.map((field) => `payload.${field}`),
  text: Object.fromEntries(fields.map((field) => [field, query])),
});

describe('a payload is shown as it was sent', () => {
  test.each([
    ['a number that no double holds', '{"n":12345678901234567890}'],
    ['zeros at the end of a fraction', '{"n":1.10}'],
    ['a number beyond all doubles', '{"n":1e400,"m":-0}'],
    ['the order of keys', '{"b":1,"2":0,"a":2,"1":0}'],
    ['duplicate keys', '{"a":1,"a":2,"content":"x","content":"y"}'],
    ['spaces', ' {\n\t"a" : [ ]\r\n} '],
    ['line separators of JavaScript', '{"content":"\u2028\u2029"}'],
    ['escapes', '{"content":"\\u5317\\/\\ud800"}'],
    ['100 levels', `${'{"a":'.repeat(99)}{}${'}'.repeat(99)}`],
  ])('%s', (_, payload) => {
    expect(shown(payload)).toBe(payload);
    expect(shown(payload, marking('nowhere', 'content'))).toBe(payload);
    expect(JSON.parse(shown(payload, { mode: 'base64' }))).toBe(base64(payload));
  });

  test('without a byte order mark', () => {
    expect(shown('\ufeff{"n":1.0}')).toBe('{"n":1.0}');
  });
});

test.each([
  ['text', 'hello'],
  ['an array', '[1]'],
  ['half an object', '{"a":1'],
  ['bytes that are no UTF-8', Buffer.from([0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d])],
  ['101 levels', `${'{"a":'.repeat(100)}{}${'}'.repeat(100)}`],
  ['5,000 levels', `{"a":${'['.repeat(5000)}${']'.repeat(5000)}}`],
  ['an injection', '{"a":1}],"messages":[{"b":2}'],
])('%s is shown as {}', (_, payload) => {
  expect(shown(payload)).toBe('{}');
  expect(JSON.parse(shown(payload, { mode: 'base64' }))).toBe(base64('{}'));
});

describe('hits are marked', () => {
  test.each([
    [
      'in their place only',
      '{"n":1.10,"content":"北京" ,"m":1e400}',
      '{"n":1.10,"content":"<mark>北京</mark>" ,"m":1e400}',
    ],
    [
      'in the last of duplicate keys',
      '{"content":"北京","content":"去北京"}',
      '{"content":"北京","content":"去<mark>北京</mark>"}',
    ],
    [
      'not if the last of duplicate keys is no string',
      '{"content":"北京","content":5}',
      '{"content":"北京","content":5}',
    ],
    [
      'in escaped text, which is written anew',
      '{"content":"\\u5317京\\/\\ud800"}',
      '{"content":"<mark>北京</mark>/\\ud800"}',
    ],
    ['under an escaped name', '{"c\\u006fntent":"北京"}', '{"c\\u006fntent":"<mark>北京</mark>"}'],
    [
      'at the top level only',
      '{"a":{"content":"北京"},"content":["北京"]}',
      '{"a":{"content":"北京"},"content":["北京"]}',
    ],
  ])('%s', (_, payload, expected) => {
    expect(shown(payload, marking('北京', 'content'))).toBe(expected);
    expect(JSON.parse(shown(payload, { ...marking('北京', 'content'), mode: 'base64' }))).toBe(base64(expected));
  });

  test('in several fields, whatever their order in the request', () => {
    const payload = '{"title":"北京","__proto__":"北京","content":"北京"}';
    const how = marking('北京', 'content', 'title');
    const text = { ...how.text, ['__proto__']: '北京' };
    expect(
      shown(payload, { highlights: [...(how.highlights ?? []), 'payload.__proto__', 'payload.title'], text }),
    ).toBe('{"title":"<mark>北京</mark>","__proto__":"<mark>北京</mark>","content":"<mark>北京</mark>"}');
  });

  test('only in fields that were searched and are given as paths of the payload', () => {
    const payload = '{"content":"北京","title":"北京"}';
    expect(shown(payload, { highlights: ['content', 'payload.title', 'payload.'], text: { content: '北京' } })).toBe(
      payload,
    );
  });
});

const RUNS = 10_000;

test('any JSON object is returned byte for byte if nothing is highlighted', () => {
  let objects = 0;
  fc.assert(
    fc.property(objectText, (text) => {
      objects++;
      expect(shown(text)).toBe(text);
      expect(shown(text, marking('zzz', 'content', 'title'))).toBe(text);
    }),
    { numRuns: RUNS, seed: 12 },
  );
  expect(objects).toBeGreaterThanOrEqual(RUNS);
});

test('any JSON object is returned equal except for the marks if something is highlighted', () => {
  let marked = 0;
  fc.assert(
    fc.property(objectText, (text) => {
      const result = shown(text, marking('北 a', 'content', 'title'));
      if (result !== text) marked++;
      // Compare the values that JSON.parse gives, independently of the spans.
      const expected: unknown = JSON.parse(text, function (this: object, key, value: unknown) {
        const isMarked = (key === 'content' || key === 'title') && typeof value === 'string';
        return isMarked ? { string: value } : value;
      });
      const seen: unknown = JSON.parse(result, function (this: object, key, value: unknown) {
        const isMarked = (key === 'content' || key === 'title') && typeof value === 'string';
        return isMarked ? { string: value } : value;
      });
      expect(Object.keys(Object(seen))).toEqual(Object.keys(Object(expected)));
      for (const [key, value] of Object.entries(Object(expected))) {
        const original = stringOf(value);
        const now = Object(seen)[key];
        if (original === undefined) expect(now).toEqual(value);
        else expect(stringOf(now)).toBe(highlight(original, '北 a') ?? original);
      }
      expect(withoutMarkedStrings(result)).toBe(withoutMarkedStrings(text));
    }),
    { numRuns: RUNS, seed: 12 },
  );
  expect(marked).toBeGreaterThan(RUNS / 50);
});

const stringOf = (value: unknown): string | undefined => {
  const string: unknown = Object(value).string;
  return typeof string === 'string' && Object.keys(Object(value)).length === 1 ? string : undefined;
};

/** Everything outside of strings: numbers, structure and spaces as they were written. */
const withoutMarkedStrings = (text: string) => text.replace(/"(?:[^"\\]|\\.)*"/g, '""');
