import { accessKey, textFields } from '@ruyi/search';
import { expect, test } from 'vitest';

const base64 = (value: unknown) =>
  Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)).toString('base64');

test('the string fields of an object and its type are searched, and nothing below them', () => {
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
  expect(textFields(base64(payload))).toEqual({ text: { content: '你好', title: '' }, type: 1, object: payload });
});

test.each([
  ['no type', {}, undefined],
  ['a type of text', { type: '1' }, undefined],
  ['a fraction', { type: 1.5 }, undefined],
  ['a number beyond what is exact', { type: 2 ** 53 }, undefined],
  ['no number', { type: null }, undefined],
  ['zero', { type: 0 }, 0],
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
  ['a byte order mark before the object', '\ufeff{"content":"x"}'],
])('%s is no object and has no text', (_, payload) => {
  expect(textFields(base64(payload))).toEqual({ text: {} });
});

test('bytes that are no UTF-8 have no text, also within an object', () => {
  const bytes = Buffer.concat([Buffer.from('{"content":"'), Buffer.from([0xff, 0xfe]), Buffer.from('"}')]);
  expect(textFields(bytes.toString('base64'))).toEqual({ text: {} });
});

test('a field may be named like what every object has', () => {
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
