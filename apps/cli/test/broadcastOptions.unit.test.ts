import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { tempDir } from '@ruyi/testkit';
import { Command } from 'commander';
import { expect, test } from 'vitest';
import { broadcastOptions, type GivenOptions, planOf, readTime } from '../src/commands/broadcast/broadcastOptions.ts';

/** The plan that arguments make. */
function plan(...args: string[]) {
  const command = new Command().exitOverride().configureOutput({ writeErr: () => {} });
  for (const option of broadcastOptions()) command.addOption(option);
  command.parse(args, { from: 'user' });
  return planOf(command.opts<GivenOptions>());
}
const decoded = (payload = '') => Buffer.from(payload, 'base64').toString();

test('--json with a value is the message, alone it asks for JSON, and both can stand in one command', () => {
  const both = plan('--uids', 'f', '--json', '{"type":7}', '--yes', '--json');
  expect([decoded(both.request.payload), both.isJson]).toEqual(['{"type":7}', true]);
  expect(plan('--uids', 'f', '--json', '--json', '{"type":7}')).toMatchObject({ isJson: true, request: both.request });
  expect(plan('--uids', 'f', '--json', '{"type":7}').isJson).toBe(false);
  const text = plan('--uids', '-', '--text', '你好', '--json');
  expect([decoded(text.request.payload), text.isJson]).toEqual(['{"type":1,"content":"你好"}', true]);
});

test('everything that is named reaches the request', () => {
  const folder = tempDir('payload');
  const file = join(folder.path, 'payload');
  writeFileSync(file, Buffer.from([0, 255, 10]));
  const { request, list, isConfirmed, isDryRun } = plan(
    ...['--channel', 'club', '--channel-type', '5', '--payload', file, '--name', 'n', '--from', 'news'],
    ...['--rate', '500', '--at', '2030-01-31T09:00:00+08:00', '--yes', '--dry-run'],
  );
  expect(request).toEqual({
    audience: { channel_id: 'club', channel_type: 5 },
    payload: 'AP8K',
    name: 'n',
    from_uid: 'news',
    rate: 500,
    start_at: Date.UTC(2030, 0, 31, 1) / 1000,
  });
  expect([list, isConfirmed, isDryRun]).toEqual([undefined, true, true]);
  expect(plan('--all-users', '--text', 'a').request.audience).toEqual({ known_users: true });
  folder.remove();
});

test.each([
  [['--text', 'a'], /name one of --uids/],
  [['--uids', 'f', '--all-users', '--text', 'a'], /name one of --uids/],
  [['--uids', 'f'], /name one of --payload/],
  [['--uids', 'f', '--text', 'a', '--json', '{}'], /only one of --payload/],
  [['--uids', 'f', '--payload', '/nowhere'], /cannot be read \(ENOENT\)/],
  [['--uids', '-', '--resume'], /name it with --uids/],
  [['--all-users', '--resume'], /name it with --uids/],
  [['--uids', 'f', '--resume', '--dry-run'], /either --resume or --dry-run/],
  [['--uids', 'f', '--json', '{'], /must be JSON/],
  [['--uids', 'f', '--text', 'a', '--rate', '0'], /whole number from 1/],
  [['--uids', 'f', '--text', 'a', '--rate', '-5'], /argument missing|whole number/],
  [['--uids', 'f', '--text', 'a', '--channel-type', '1'], /from 2 to 255/],
  [['--uids', 'f', '--text', 'a', '--at', 'tomorrow'], /2030-01-31/],
])('%j is refused', (args, reason) => {
  expect(() => plan(...args)).toThrow(reason);
});

test('times are ISO, from now on, or seconds', () => {
  expect(readTime('1900000000')).toBe(1_900_000_000);
  expect(readTime('2030-01-31')).toBe(Date.UTC(2030, 0, 31) / 1000);
  const now = Math.round(Date.now() / 1000);
  for (const [text, seconds] of [
    ['+45s', 45],
    ['+90m', 5400],
    ['+2h', 7200],
    ['+3d', 259_200],
  ] as const) {
    expect(Math.abs(readTime(text) - now - seconds)).toBeLessThan(60);
  }
  for (const wrong of ['', '1900000000000', '+1y', '2030-13-01', '-5', '1.5']) expect(() => readTime(wrong)).toThrow();
});
