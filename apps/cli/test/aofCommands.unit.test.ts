import fc from 'fast-check';
import { expect, test } from 'vitest';
import { holdsWholeCommands } from '../src/commands/up/aofCommands.ts';

/** A command in the form that Redis writes. */
const encoded = (args: readonly Uint8Array[]): Buffer =>
  Buffer.concat([
    Buffer.from(`*${args.length}\r\n`),
    ...args.flatMap((arg) => [Buffer.from(`$${arg.length}\r\n`), arg, Buffer.from('\r\n')]),
  ]);
const command = (...args: string[]) => encoded(args.map((arg) => Buffer.from(arg)));
const SET = command('SET', 'k', 'v'.repeat(100));
const half = SET.subarray(0, 60);
const zeros = Buffer.alloc(300);
const MULTI = command('MULTI');

// Values without `*` cannot look like commands. A file whose values contain one is left alone in doubt.
const value = fc.uint8Array({ maxLength: 40 }).filter((bytes) => !bytes.includes(0x2a));
const commands = fc.array(value, { minLength: 1, maxLength: 5 }).map(encoded);
const rubbish = fc.oneof(
  fc.nat(5_000).map((length) => Buffer.alloc(length)),
  fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from(bytes.filter((byte) => byte !== 0x2a))),
);

test('a command cut anywhere, followed by garbage, is the end of a file', () => {
  fc.assert(
    fc.property(commands, fc.nat(), rubbish, (whole, at, behind) => {
      const cut = whole.subarray(0, at % whole.length);
      expect(holdsWholeCommands(Buffer.concat([cut, Buffer.from([0]), behind]))).toBe(false);
    }),
    { seed: 12, numRuns: 1_000 },
  );
});

test('the same with a whole command after the damage is not', () => {
  fc.assert(
    fc.property(commands, fc.nat(), rubbish, commands, rubbish, (whole, at, between, next, behind) => {
      const cut = whole.subarray(0, at % whole.length);
      expect(holdsWholeCommands(Buffer.concat([cut, between, next, behind]))).toBe(true);
    }),
    { seed: 12, numRuns: 1_000 },
  );
});

test.each([
  ['nothing', Buffer.alloc(0), false],
  ['zeros', zeros, false],
  ['a transaction without its end', Buffer.concat([MULTI, SET, SET]), false],
  ['a transaction cut within a command', Buffer.concat([MULTI, SET, half]), false],
  ['a transaction that ends in zeros', Buffer.concat([command('multi'), SET, zeros]), false],
  ['a transaction with a hole', Buffer.concat([MULTI, SET, zeros, SET]), true],
  ['a transaction with its end behind a hole', Buffer.concat([MULTI, zeros, command('EXEC')]), true],
  ['two transactions, the first one without its end', Buffer.concat([MULTI, SET, MULTI, SET]), true],
  ['whole commands for which there is another reason', Buffer.concat([SET, zeros]), true],
  ['a length that is too large', Buffer.from('*1\r\n$9999999999\r\nx\r\n'), false],
  ['a count that is too large', Buffer.from('*9999999999\r\n$1\r\nx\r\n'), false],
])('%s', (_, bytes, expected) => {
  expect(holdsWholeCommands(bytes)).toBe(expected);
});
