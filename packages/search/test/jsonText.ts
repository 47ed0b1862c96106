import fc from 'fast-check';

/** What may be between the tokens of a JSON text. */
const space = fc.string({ unit: fc.constantFrom(' ', '\n', '\t', '\r'), maxLength: 2 });

/** Numbers as people and programs write them, including some that no double can represent. */
const number = fc.oneof(
  fc.constantFrom('0', '-0', '1.10', '1e400', '-1E-400', '12345678901234567890', '1.0e+2', '9007199254740993'),
  fc
    .tuple(
      fc.constantFrom('', '-'),
      fc.bigInt({ min: 0n, max: 10n ** 40n }),
      fc.constantFrom('', '.0', '.50', '.000000000000000000001'),
      fc.constantFrom('', 'e5', 'E-3', 'e+07'),
    )
    .map((parts) => parts.join('')),
);

const character = fc.oneof(
  { weight: 6, arbitrary: fc.constantFrom(...'ab北京大学 <mark>/&') },
  { weight: 2, arbitrary: fc.constantFrom('\\"', '\\\\', '\\/', '\\b', '\\f', '\\n', '\\r', '\\t') },
  { weight: 2, arbitrary: fc.constantFrom('\\u0000', '\\u5317', '\\ud800', '\\uDC00', '\\ud83d\\ude00', '\\u003C') },
  { weight: 1, arbitrary: fc.constantFrom('\u2028', '\u2029', '\u007f', '\ufeff', '😀', '𠮷', 'e\u0301') },
);

/** A JSON string as it is written, quotes included. */
const stringText = fc.array(character, { maxLength: 12 }).map((parts) => `"${parts.join('')}"`);

const name = fc.oneof(
  fc.constantFrom('"content"', '"title"', '"type"', '"a"', '"__proto__"', '"constructor"', '"1"', '"c\\u006fntent"'),
  stringText,
);

const { value } = fc.letrec<{ value: string; object: string; array: string }>((tie) => ({
  value: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    number,
    stringText,
    fc.constantFrom('true', 'false', 'null'),
    tie('object'),
    tie('array'),
  ),
  object: objectOf(tie('value')),
  array: fc
    .array(fc.tuple(space, tie('value'), space), { maxLength: 4 })
    .map((elements) => `[${elements.map((parts) => parts.join('')).join(',')}]`),
}));

function objectOf(of: fc.Arbitrary<string>): fc.Arbitrary<string> {
  const member = fc.tuple(space, name, space, fc.constant(':'), space, of, space);
  return fc.array(member, { maxLength: 6 }).map((members) => `{${members.map((parts) => parts.join('')).join(',')}}`);
}

/** Any JSON text, written in every way that the grammar allows: duplicate names, escapes, spaces, large numbers. */
export const jsonText: fc.Arbitrary<string> = value;

/** The same, of a JSON object. */
export const objectText: fc.Arbitrary<string> = fc.tuple(space, objectOf(value), space).map((parts) => parts.join(''));
