import { accessKey, textFields } from '@ruyi/search';
import { expect, test } from 'vitest';

const base64 = (value: unknown) =>
  Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)).toString('base64');

test('top-level string fields and the type of an object are searched, but nothing nested', () => {
  const payload = {
    type: 1,
    content: '你好',
    title: '',
    size: 3,
    list: ['a'],
    inner: { content: 'deep' },
    none: null,
    yes: true,
  };
  expect(textFields(base64(payload))).toEqual({ text: { content: '你好', title: '' }, type: 1 });
});

test.each([
  ['no type', {}, undefined],
  ['a type of text', { type: '1' }, undefined],
  ['a fraction', { type: 1.5 }, undefined],
  ['a number beyond what is exact', { type: 2 ** 53 }, undefined],
  ['no number', { type: null }, undefined],
  ['zero', { type: 0 }, 0],
  ['a negative zero', '{"type":-0}', 0],
  ['a number that is too large for any', '{"type":1e400}', undefined],
  ['a negative one', { type: -1 }, -1],
  ['a whole number written as a fraction', '{"type": 2.0}', 2],
])('the type of a payload with %s', (_, payload, type) => {
  expect(textFields(base64(payload)).type).toBe(type);
});

test.each([
  ['text that is no JSON', 'hello'],
  ['an array', '["content"]'],
  ['a string', '"content"'],
  ['a number', '1'],
  ['null', 'null'],
  ['half an object', '{"content":"x"'],
  ['nothing', ''],
  ['an object and more', '{"content":"x"} {}'],
  ['an object within 100 others', `${'{"a":'.repeat(100)}{}${'}'.repeat(100)}`],
  ['an array within 100 others', `{"content":"x","a":${'['.repeat(100)}${']'.repeat(100)}}`],
])('%s is not an object and has no text', (_, payload) => {
  expect(textFields(base64(payload))).toEqual({ text: {} });
});

test('a byte order mark before the object is skipped, once', () => {
  expect(textFields(base64('\ufeff{"content":"x"}'))).toEqual({ text: { content: 'x' } });
  expect(textFields(base64('\ufeff\ufeff{"content":"x"}'))).toEqual({ text: {} });
});

test('an object of 100 levels is accepted', () => {
  const payload = `{"content":"x","a":${'['.repeat(99)}${']'.repeat(99)}}`;
  expect(textFields(base64(payload))).toEqual({ text: { content: 'x' } });
});

test('the first 64 string fields are searched, whatever else is between them', () => {
  const payload = Object.fromEntries(Array.from({ length: 200 }, (_, i) => [`f${i}`, i % 2 === 0 ? `text ${i}` : i]));
  const { text } = textFields(base64(payload));
  expect(Object.keys(text)).toEqual(Array.from({ length: 64 }, (_, i) => `f${2 * i}`));
});

test('each field is searched up to its 100,000th character, an emoji counting as one', () => {
  const payload = { letters: 'a'.repeat(100_001), emoji: `${'😀'.repeat(10)}${'b'.repeat(100_000)}` };
  const { text } = textFields(base64(payload));
  expect(text.letters).toBe('a'.repeat(100_000));
  expect(text.emoji).toBe(`${'😀'.repeat(10)}${'b'.repeat(99_990)}`);
});

test('of several fields with one name the last one counts, as in JSON.parse', () => {
  const payload = '{"content":"one","title":"x","type":1,"content":"two","title":5,"\\u0074ype":2}';
  expect(textFields(base64(payload))).toEqual({ text: { content: 'two' }, type: 2 });
});

test('bytes that are not UTF-8 have no text, even within an object', () => {
  const bytes = Buffer.concat([Buffer.from('{"content":"'), Buffer.from([0xff, 0xfe]), Buffer.from('"}')]);
  expect(textFields(bytes.toString('base64'))).toEqual({ text: {} });
});

test('a field may have the name of a property that every object has', () => {
  const { text } = textFields(base64('{"__proto__":"a","constructor":"b","toString":"c"}'));
  expect(Object.entries(text)).toEqual([
    ['__proto__', 'a'],
    ['constructor', 'b'],
    ['toString', 'c'],
  ]);
});

test('access keys are hex, and differ by case, space and kind', () => {
  const keys = [
    accessKey('uid', 'ann'),
    accessKey('uid', 'Ann'),
    accessKey('uid', 'ann '),
    accessKey('uid', ''),
    accessKey('channel', 'ann'),
    accessKey('channel_id', 'ann'),
    accessKey('topic', 'ann'),
    accessKey('uid', '安'),
  ];
  for (const key of keys) expect(key).toMatch(/^[0-9a-f]{24}$/);
  expect(new Set(keys).size).toBe(keys.length);
  expect(accessKey('uid', 'ann')).toBe(keys[0]);
});
