import { expect, test } from 'vitest';
import { ago, bytes, count, counted, duration, localMinute, percent, secondsOf } from '../src/web/formats.ts';

test('numbers have separators, and their nouns the right form', () => {
  expect([count(1_234_567), counted(1, 'lane'), counted(2000, 'try', 'tries')]).toEqual([
    '1,234,567',
    '1 lane',
    '2,000 tries',
  ]);
  expect([0, 999, 1500, 2_700_000, 419_430_400].map(bytes)).toEqual([
    '0 bytes',
    '999 bytes',
    '1.5 KB',
    '2.7 MB',
    '419 MB',
  ]);
});

test('times are told as people say them', () => {
  const told = [0, 0.02, 0.34, 9, 59.6, 125, 3600, 12_000, 300_000].map(duration);
  expect(told).toEqual(['0 s', '< 0.1 s', '0.3 s', '9 s', '1 min', '2 min 5 s', '1 h 0 min', '3 h 20 min', '3 days']);
  expect([0, 5, 42, 300, 7300, 400_000].map((s) => ago(1_000_000 - s, 1_000_000))).toEqual([
    'just now',
    'just now',
    '42 s ago',
    '5 min ago',
    '2 h ago',
    '4 days ago',
  ]);
});

test('times ahead are told the same way', () => {
  expect([3, 42, 300, 7300, 400_000].map((s) => ago(1_000_000 + s, 1_000_000))).toEqual([
    'in a moment',
    'in 42 s',
    'in 5 min',
    'in 2 h',
    'in 4 days',
  ]);
});

test('a time without a zone is one where the reader is, to the minute', () => {
  const at = new Date(2026, 2, 9, 7, 5, 59).getTime() / 1000;
  expect(localMinute(at)).toBe('2026-03-09T07:05');
  expect(secondsOf(localMinute(at))).toBe(at - 59);
  expect([secondsOf(''), secondsOf('tomorrow')]).toEqual([0, 0]);
});

test('only what is complete is 100 %, and only nothing is 0 %', () => {
  const shares = [percent(0, 10), percent(1, 1000), percent(999, 1000), percent(1000, 1000), percent(0, 0)];
  expect(shares).toEqual(['0 %', '1 %', '99 %', '100 %', '0 %']);
});
