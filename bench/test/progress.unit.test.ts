import { PassThrough } from 'node:stream';
import { expect, test } from 'vitest';
import { roundsOf } from '../src/progress.ts';

const terminal = () =>
  Object.assign(new PassThrough(), { isTTY: true, columns: 80, cursorTo() {}, moveCursor() {}, clearLine() {} });
const written = (stream: PassThrough) => String(stream.read() ?? '');

test('a terminal shows what is measured and how many rounds of it are done', () => {
  const stream = terminal();
  const rounds = roundsOf('fan-out', 3, stream);
  expect(rounds.next()).toEqual({ done: false, value: 0 });
  expect(written(stream)).toMatch(/fan-out .*0 of 3/);
  rounds.next();
  rounds.next();
  expect(rounds.next()).toEqual({ done: true, value: undefined });
});

test('a pipe gets nothing, and whoever stops early leaves nothing running', () => {
  const stream = new PassThrough();
  for (const round of roundsOf('fan-out', 3, stream)) if (round === 1) break;
  expect(written(stream)).toBe('');
});
