import { channelName, isName, parseChannelName, peerOf, personalPair, SYSTEM_UID } from '@ruyi/contracts';
import fc from 'fast-check';
import { expect, test } from 'vitest';

const name = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 12 }).filter(isName);
// Few and alike, so that names which must differ are drawn next to each other.
const alike = fc.oneof(
  name,
  fc.string({ unit: fc.constantFrom('a', 'A', 'b', '1', '2', ':', ' ', '😀'), maxLength: 4 }),
);
const uid = alike.filter(isName);
const groupType = fc.integer({ min: 2, max: 255 });

/** The rule of docs/api.md §1, written out once more. */
function mayBeName(text: string): boolean {
  const characters = [...text];
  if (characters.length < 1 || characters.length > 128) return false;
  return characters.every((character) => {
    const code = character.codePointAt(0) ?? 0;
    const control = code < 0x20 || (code >= 0x7f && code < 0xa0);
    const loneSurrogate = code >= 0xd800 && code <= 0xdfff;
    return !control && !loneSurrogate && !'@#&'.includes(character);
  });
}

test('a name has 1 to 128 characters, none of them a control character, @, #, & or half of a pair', () => {
  fc.assert(
    fc.property(fc.oneof(fc.string({ unit: 'binary', maxLength: 140 }), fc.string({ maxLength: 140 })), (text) => {
      expect(isName(text)).toBe(mayBeName(text));
    }),
  );
  const units = fc.array(fc.nat(0xffff), { maxLength: 4 }).map((codes) => String.fromCharCode(...codes));
  fc.assert(
    fc.property(units, (text) => {
      expect(isName(text)).toBe(mayBeName(text));
    }),
  );
});

test.each([
  ['one character', 'a', true],
  ['128 characters', 'a'.repeat(128), true],
  ['128 characters of two units each', '😀'.repeat(128), true],
  ['129 characters', 'a'.repeat(129), false],
  ['129 characters of two units each', '😀'.repeat(129), false],
  ['none', '', false],
  ['a blank', ' ', true],
  ['Chinese', '用户一', true],
  ['what separates keys and jobs', 'a:b{c}.d-e,f|g"h\\i', true],
  ['an @', 'a@b', false],
  ['a #', 'a#b', false],
  ['an &', 'a&b', false],
  ['a line feed at the end', 'ann\n', false],
  ['a zero byte', 'a\0', false],
  ['a delete', 'a\x7f', false],
  ['a control character of the second block', 'a\x9f', false],
  ['half of a pair', 'a\ud83d', false],
  ['the other half', '\ude00a', false],
  ['the halves in the wrong order', '\ude00\ud83d', false],
  ['the system user', SYSTEM_UID, true],
])('a name of %s is legal or not', (_, text, legal) => {
  expect(isName(text)).toBe(legal);
});

test('a personal channel has one name, whichever of its users looks', () => {
  fc.assert(
    fc.property(uid, uid, (a, b) => {
      expect(channelName(1, a, b)).toBe(channelName(1, b, a));
      expect(personalPair(channelName(1, a, b))).toEqual([a, b].sort());
      expect(peerOf(channelName(1, a, b), a)).toBe(b);
      expect(peerOf(channelName(1, a, b), b)).toBe(a);
    }),
  );
});

test('without a user it is the system user who looks', () => {
  expect(channelName(1, 'ann')).toBe(channelName(1, SYSTEM_UID, 'ann'));
  expect(peerOf(channelName(1, 'ann'), 'ann')).toBe(SYSTEM_UID);
});

test('two personal channels share a name only where they have the same users', () => {
  fc.assert(
    fc.property(uid, uid, uid, uid, (a, b, c, d) => {
      const same = (a === c && b === d) || (a === d && b === c);
      expect(channelName(1, a, b) === channelName(1, c, d)).toBe(same);
    }),
  );
});

test('two channels of any type share a name only where both type and id are the same', () => {
  fc.assert(
    fc.property(groupType, uid, groupType, uid, (type, id, otherType, otherId) => {
      const same = type === otherType && id === otherId;
      expect(channelName(type, id) === channelName(otherType, otherId)).toBe(same);
      // For a group it does not matter who asks.
      expect(channelName(type, id, otherId)).toBe(channelName(type, id));
    }),
  );
});

test('no group has the name of a personal channel, and none has a pair', () => {
  fc.assert(
    fc.property(groupType, uid, uid, uid, (type, id, a, b) => {
      expect(channelName(type, id)).not.toBe(channelName(1, a, b));
      expect(personalPair(channelName(type, id))).toBeUndefined();
      expect(() => peerOf(channelName(type, id), a)).toThrow('not a personal channel');
    }),
  );
});

test.each([
  [1, 'bob', 'ann', '1:ann@bob'],
  [1, 'ann', 'ann', '1:ann@ann'],
  [1, 'ann', 'Bob', '1:Bob@ann'],
  [1, '1:x', 'a', '1:1:x@a'],
  [2, 'room', 'ann', '2:room'],
  [12, '3', undefined, '12:3'],
  [1, 'ann', undefined, '1:____system@ann'],
])('the name of type %i, id %s, seen from %s, is %s: it is part of stored keys', (type, id, login, expected) => {
  expect(channelName(type, id, login)).toBe(expected);
});

test('a name is taken apart into its type and its id', () => {
  expect(parseChannelName(channelName(2, 'a:b'))).toEqual({ channelType: 2, channelId: 'a:b' });
  expect(parseChannelName(channelName(1, 'bob', 'ann'))).toEqual({ channelType: 1, channelId: 'ann@bob' });
});
