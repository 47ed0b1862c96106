import { type JsonKind, scanJson } from '@ruyi/search';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { jsonText } from './jsonText.ts';

interface Member {
  kind: JsonKind;
  name: string;
  value: string;
}

function scan(text: string, maxDepth = 1000): { kind: JsonKind | undefined; members: Member[] } {
  const bytes = Buffer.from(text);
  const members: Member[] = [];
  const kind = scanJson(bytes, maxDepth, (kind, start, end, nameStart, nameEnd) => {
    members.push({ kind, name: bytes.toString('utf8', nameStart, nameEnd), value: bytes.toString('utf8', start, end) });
  });
  return { kind, members };
}

const parses = (text: string) => {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
};

test('reports where the members of an object are', () => {
  const text = ' {"a" : 12345678901234567890,"b":{"a":[1,{}]} , "c":[ ], "d":"x\\"y","e":null}\n';
  expect(scan(text)).toEqual({
    kind: 'object',
    members: [
      { kind: 'number', name: '"a"', value: '12345678901234567890' },
      { kind: 'object', name: '"b"', value: '{"a":[1,{}]}' },
      { kind: 'array', name: '"c"', value: '[ ]' },
      { kind: 'string', name: '"d"', value: '"x\\"y"' },
      { kind: 'literal', name: '"e"', value: 'null' },
    ],
  });
});

test('reports where the elements of an array are', () => {
  expect(scan('[1, "x",[2]]').members.map(({ value }) => value)).toEqual(['1', '"x"', '[2]']);
});

test.each([
  ...['', ' ', '{', '}', '{]', '[}', '{}{}', '{},', '[1,]', '{"a":1,}', '{,}', '[,]', '{"a"}', '{"a":}', '{a:1}'],
  ...[
    "{'a':1}",
    '{"a" 1}',
    '{"a":1 "b":2}',
    '[1 2]',
    '{1:2}',
    '{null:1}',
    '{"a":1}}',
    '[[]',
    '01',
    '-',
    '-a',
    '1.',
    '.1',
  ],
  ...['+1', '1e', '1e+', '1.e1', '0x1', '1_0', 'NaN', 'Infinity', 'nul', 'nulll', 'True', 'undefined', '"', '"\\"'],
  ...[
    '"\\x"',
    '"\\u12"',
    '"\\u12g4"',
    '"\t"',
    '"\n"',
    '"\u0000"',
    '\u00a0{}',
    '\ufeff{}',
    '{}\u2028',
    '/**/{}',
    '{}//',
  ],
  ...[
    '0',
    '-0',
    '0.0',
    '1e400',
    '1E-7',
    '-1.5e+10',
    '"\\ud800"',
    '"\\/\\b\\f"',
    '"\u2028"',
    '"\u007f"',
    '\t\r\n 1 ',
    'true',
  ],
  ...['[]', '[[],[]]', '{"":0}', '{"a":1,"a":2}', '{"__proto__":{}}', '"😀"'],
])('accepts %j exactly if JSON.parse does', (text) => {
  expect(scan(text).kind !== undefined).toBe(parses(text));
});

test('accepts exactly what JSON.parse accepts, even among texts that are nearly JSON', () => {
  const mutation = fc.record({
    at: fc.nat(),
    cut: fc.nat(3),
    put: fc.string({ unit: fc.constantFrom(...'{}[],:"\\0-1.eEu \ntrufalsn\u0001é'), maxLength: 2 }),
  });
  fc.assert(
    fc.property(jsonText, fc.array(mutation, { maxLength: 3 }), (text, mutations) => {
      const near = mutations.reduce((before, { at, cut, put }) => {
        const place = at % (before.length + 1);
        return before.slice(0, place) + put + before.slice(place + cut);
      }, text);
      // A lone surrogate, left by a cut, has no bytes in UTF-8.
      const sent = Buffer.from(near).toString();
      expect([sent, scan(sent).kind !== undefined]).toEqual([sent, parses(sent)]);
    }),
    { numRuns: 5000 },
  );
});

test('bounds the depth, and does not recurse', () => {
  const nested = (levels: number) => `${'[{"a":'.repeat(levels / 2)}1${'}]'.repeat(levels / 2)}`;
  expect(scan(nested(100), 100).kind).toBe('array');
  expect(scan(nested(102), 100).kind).toBeUndefined();
  expect(scan('[]'.repeat(1), 1).kind).toBe('array');
  expect(scan('[[]]', 1).kind).toBeUndefined();
  expect(scan(nested(200_000), 200_000).kind).toBe('array');
  expect(scan('['.repeat(1_000_000), 100).kind).toBeUndefined();
});
