import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';

const LOGGER = fileURLToPath(new URL('./fixtures/logger.mjs', import.meta.url));

type Event = [level: string, fields: object, message: string];

/** What a process of its own writes that logs these events. */
function written(threshold: string, ...events: Event[]): string[] {
  const args = [LOGGER, threshold, ...events.map((event) => JSON.stringify(event))];
  const { stdout, stderr, status } = spawnSync(process.execPath, args, { encoding: 'utf8' });
  expect([stderr, status]).toEqual(['', 0]);
  return stdout.split('\n');
}
const logged = (fields: object): unknown => JSON.parse(written('info', ['info', fields, 'sent'])[0] ?? '');

describe('an event', () => {
  test('is one line of JSON with the service, the level, the time and its fields, whatever they hold', () => {
    const text = 'two\nlines\r\n "quoted" \u2028 你好 \u0000';
    const lines = written('info', ['warn', { text, count: 3 }, text], ['info', {}, 'next']);
    expect(lines).toHaveLength(3);
    expect(lines[2]).toBe('');
    const [first, second] = lines.slice(0, 2).map((line) => JSON.parse(line));
    expect(first).toMatchObject({ name: 'api', level: 40, text, count: 3, msg: text });
    expect(second).toMatchObject({ name: 'api', level: 30, msg: 'next' });
    expect(new Date(first.time).getTime()).toBeGreaterThan(Date.UTC(2020));
  });

  test('below the level is not written', () => {
    const levels = ['debug', 'info', 'warn', 'error', 'fatal'];
    // Sorted: pino writes a fatal event at once, and so before one that still waits for its turn.
    const lines = written('warn', ...levels.map((level): Event => [level, {}, level]));
    expect(
      lines
        .filter((line) => line !== '')
        .map((line) => JSON.parse(line).msg)
        .sort(),
    ).toEqual(['error', 'fatal', 'warn']);
  });

  test('of an error tells its type, message, code, stack and cause, on the same line', () => {
    const lines = written('info', ['error', { error: 'it\nbroke' }, 'failed']);
    expect(lines).toHaveLength(2);
    const { err } = JSON.parse(lines[0] ?? '');
    expect(err).toMatchObject({ type: 'Error', message: expect.stringContaining('it\nbroke'), code: 'EBROKEN' });
    expect(err.stack).toContain('logger.mjs');
    expect(err.stack).toContain('caused by: Error: the cause');
  });
});

describe('what must not be logged', () => {
  test.each(['token', 'payload'])('%s: neither as a field nor within one', (field) => {
    const line = logged({ [field]: 'secret', message: { [field]: 'secret', uid: 'ann' } });
    expect(line).toMatchObject({ [field]: '…', message: { [field]: '…', uid: 'ann' } });
    expect(JSON.stringify(line)).not.toContain('secret');
  });

  test.each(['apiKey', 'password'])('%s: not within a field', (field) => {
    const line = logged({ options: { [field]: 'secret', host: 'here' } });
    expect(line).toMatchObject({ options: { [field]: '…', host: 'here' } });
    expect(JSON.stringify(line)).not.toContain('secret');
  });
});
