import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import {
  flag,
  isLonger,
  label,
  limit,
  list,
  optional,
  payload,
  RequiredChannelType,
  Seq,
  TOO_LARGE,
  textSet,
  Uid,
  uidList,
  whole,
  withDefault,
} from '../src/fields.ts';
import { isName, NAME_RULE } from '../src/ids.ts';

/** The issues of a value, as an answer lists them; [] if it is accepted. */
function complaints(schema: z.ZodType, value: unknown): string[] {
  const parsed = schema.safeParse(value);
  return parsed.success ? [] : parsed.error.issues.map(({ path, message }) => [...path, message].join(': '));
}

const NO_NUMBERS = ['1', true, [], {}, [1], 1.5, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 53];

describe('an optional field', () => {
  test('counts as absent where it is null or blank, and only then', () => {
    for (const value of [undefined, null, '']) expect(optional(Uid).parse(value)).toBeUndefined();
    expect(optional(Uid).parse('ann')).toBe('ann');
    expect(complaints(optional(Uid), 0)).toEqual(['must be a string']);
    expect(complaints(optional(Uid), 'a@b')).toEqual([NAME_RULE]);
  });

  test('takes its default where it is absent, and nothing else for it', () => {
    const schema = withDefault(whole(1, 9), 5);
    for (const value of [undefined, null, '']) expect(schema.parse(value)).toBe(5);
    expect(schema.parse(1)).toBe(1);
    for (const value of [0, false, [], ' ']) expect(complaints(schema, value)).toHaveLength(1);
  });
});

describe('a uid', () => {
  test('is a legal name, said in one line where it is not', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 132 }), (text) => {
        expect(complaints(Uid, text)).toEqual(isName(text) ? [] : [NAME_RULE]);
      }),
    );
  });

  test('is required, also where it is null or blank', () => {
    expect(complaints(Uid, undefined)).toEqual(['is required']);
    expect(complaints(Uid, null)).toEqual(['is required']);
    expect(complaints(Uid, '')).toEqual([NAME_RULE]);
    expect(complaints(Uid, 7)).toEqual(['must be a string']);
  });
});

describe('a number', () => {
  test.each([
    ['a seq', Seq, 0, 2 ** 32 - 1],
    ['a channel type', RequiredChannelType, 1, 255],
  ])('%s is whole and within its bounds', (_, schema, least, most) => {
    expect([schema.parse(least), schema.parse(most)]).toEqual([least, most]);
    expect(complaints(schema, least - 1)).toEqual([`must be at least ${least}`]);
    expect(complaints(schema, most + 1)).toEqual([`must be at most ${most}`]);
    expect(complaints(schema, null)).toEqual(['is required']);
    for (const value of NO_NUMBERS) expect(complaints(schema, value)).not.toEqual([]);
  });

  test('a flag is 0 or 1, no boolean and no text', () => {
    expect([flag().parse(undefined), flag(1).parse(''), flag().parse(1), flag(1).parse(0)]).toEqual([0, 1, 1, 0]);
    for (const value of [2, -1, true, '1', [], {}]) expect(complaints(flag(), value)).toEqual(['must be 0 or 1']);
  });

  test('a limit is its default at 0, its maximum above it, and never negative', () => {
    const schema = limit(100, 10_000);
    const given = [undefined, null, '', 0, 1, 10_000, 10_001, Number.MAX_SAFE_INTEGER];
    expect(given.map((value) => schema.parse(value))).toEqual([100, 100, 100, 100, 1, 10_000, 10_000, 10_000]);
    for (const value of [-1, 1.5, '5']) expect(complaints(schema, value)).not.toEqual([]);
  });
});

test('a label is text of at most 128 characters without half a pair', () => {
  expect([label.parse(undefined), label.parse(null), label.parse(' a\n')]).toEqual(['', '', ' a\n']);
  expect(label.parse('主'.repeat(128))).toHaveLength(128);
  expect(label.parse('😀'.repeat(128))).toHaveLength(256);
  for (const long of ['😀'.repeat(129), '\ud83d'.repeat(10_000)]) {
    expect(complaints(label, long)).toEqual(['must be at most 128 characters']);
  }
  expect(complaints(label, 'a'.repeat(129))).toEqual(['must be at most 128 characters']);
  for (const half of ['\ud83d', 'a\ude00b'])
    expect(complaints(label, half)).toEqual(['must not contain lone surrogates']);
  for (const value of [1, {}, []]) expect(complaints(label, value)).toEqual(['must be a string']);
});

describe('a payload', () => {
  const schema = payload(4);

  test('comes out padded, up to its size in decoded bytes', () => {
    expect([schema.parse('QQ'), schema.parse('QUJDRA')]).toEqual(['QQ==', 'QUJDRA==']);
    const parsed = schema.safeParse('QUJDREU=');
    expect(parsed.error?.issues).toMatchObject([
      { message: 'is 5 bytes after decoding, at most 4 are allowed', params: { answer: TOO_LARGE } },
    ]);
  });

  test('is refused where it is missing, empty, no text, or no base64', () => {
    for (const value of [undefined, null]) expect(complaints(schema, value)).toEqual(['is required']);
    expect(complaints(schema, { content: 'x' })).toEqual(['must be a base64 string']);
    for (const text of ['', '=', 'A', 'ab-_', 'AA\n']) {
      expect(complaints(schema, text)).toEqual(['must be standard base64 of at least one byte']);
    }
  });
});

describe('a list of uids', () => {
  const strict = uidList({ min: 1, max: 3, strict: true });
  const loose = uidList({ min: 1, max: 3, strict: false });
  const mayBeEmpty = uidList({ min: 0, max: 3, strict: true });

  test('keeps its order and its repeats', () => {
    expect(strict.parse(['b', 'a', 'b'])).toEqual(['b', 'a', 'b']);
  });

  test('is bounded on both sides', () => {
    expect(complaints(strict, [])).toEqual(['must name at least one uid']);
    expect(complaints(strict, ['a', 'b', 'c', 'd'])).toEqual(['has 4 uids, at most 3 are allowed']);
  });

  test('is absent where it is null or blank, if it may be', () => {
    for (const value of [undefined, null, '', []]) expect(mayBeEmpty.parse(value)).toEqual([]);
    for (const value of [undefined, null]) expect(complaints(strict, value)).toEqual(['is required']);
  });

  test('is an array and nothing like one', () => {
    for (const value of ['ann', 1, {}, { length: 1, 0: 'ann' }, true]) {
      for (const schema of [strict, loose, mayBeEmpty]) {
        expect(complaints(schema, value)).toEqual(['must be an array of uids']);
      }
    }
    expect(complaints(strict, '')).toEqual(['must be an array of uids']);
  });

  test('names its first illegal uid by position, or takes it, as its user wants it', () => {
    expect(complaints(strict, ['ann', '', 'a@b'])).toEqual([`1: ${NAME_RULE}`]);
    expect(loose.parse(['ann', '', 'a@b'])).toEqual(['ann', '', 'a@b']);
  });

  test('holds strings only, in either case', () => {
    for (const schema of [strict, loose]) {
      for (const odd of [null, 1, {}, ['ann'], undefined]) {
        expect(complaints(schema, ['ann', odd])).toEqual(['1: must be a string']);
      }
    }
  });

  test('holds no text of more than 256 characters, in either case', () => {
    const long = '😀'.repeat(256);
    expect(loose.parse(['ann', long])).toEqual(['ann', long]);
    for (const longer of [`${long}x`, 'x'.repeat(100_000)]) {
      expect(complaints(loose, ['ann', longer, longer])).toEqual(['1: must be at most 256 characters']);
      expect(complaints(strict, [longer])).toHaveLength(1);
    }
  });
});

test('characters are code points, whatever is in the text', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 12 }), fc.nat(12), (text, max) => {
      expect(isLonger(text, max)).toBe([...text].length > max);
    }),
  );
});

describe('a list', () => {
  const seqs = list(Seq, 3);

  test('comes out as it is, its items parsed', () => {
    expect(seqs.parse([3, 1, 3])).toEqual([3, 1, 3]);
    expect(list(label, 3).parse([null, 'a'])).toEqual(['', 'a']);
  });

  test('is an array and nothing like one', () => {
    for (const value of [undefined, null, '', 'x', 1, {}, { length: 1, 0: 1 }]) {
      expect(complaints(seqs, value)).toEqual(['must be an array']);
    }
  });

  test('is refused by its length before an item is looked at, then at its first broken item', () => {
    let looks = 0;
    const counted = list(
      z.unknown().refine((item) => {
        looks++;
        return item !== -1;
      }, 'is -1'),
      3,
    );
    expect(complaints(counted, new Array(100_000).fill(1))).toEqual(['has 100000 items, at most 3 are allowed']);
    expect(looks).toBe(0);
    expect(complaints(counted, [1, -1, -1])).toEqual(['1: is -1']);
    expect(looks).toBe(2);
  });
});

describe('a set of texts', () => {
  const texts = textSet({ max: 2, maxLength: 4 });

  test('counts what is named again once', () => {
    expect(texts.parse(['b', 'a', 'b', ...new Array(1000).fill('a')])).toEqual(['b', 'a']);
    expect(complaints(texts, ['a', 'b', 'a', 'c', 5])).toEqual(['names more than 2 different texts']);
  });

  test('is refused at its first broken text', () => {
    expect(texts.parse(['😀😀😀😀'])).toEqual(['😀😀😀😀']);
    expect(complaints(texts, ['a', 'abcde', 5])).toEqual(['1: must be at most 4 characters']);
    expect(complaints(texts, ['a', 5, 'abcde'])).toEqual(['1: must be a string']);
    for (const value of [undefined, null, 'x', 5, {}]) expect(complaints(texts, value)).toEqual(['must be an array']);
  });
});
