import { expect, test } from 'vitest';
import { countersIn, rates } from '../src/commands/top/sample.ts';
import { pageOf } from '../src/commands/top/topCommand.ts';
import { bytes, count, duration, printable, time } from '../src/terminal/formats.ts';
import { coloursOf, table } from '../src/terminal/table.ts';

const ESCAPE = '\x1b';

test('numbers are written for people, in the same way everywhere', () => {
  expect([count(1_234_567.4), count(0)]).toEqual(['1,234,567', '0']);
  expect([0, 999, 1234, 123_456, 45_600_000, 7.2e12].map(bytes)).toEqual([
    '0 bytes',
    '999 bytes',
    '1.2 KB',
    '123 KB',
    '45.6 MB',
    '7.2 TB',
  ]);
  expect([0.4, 59, 60, 3599, 12_000, -1].map(duration)).toEqual([
    '0 s',
    '59 s',
    '1 min 0 s',
    '59 min 59 s',
    '3 h 20 min',
    '0 s',
  ]);
  expect([time(0), time(1_800_000_000)]).toEqual(['-', '2027-01-15T08:00:00Z']);
});

test('no text from outside moves the cursor', () => {
  expect(printable(`a\n${ESCAPE}[2Jb\x07`)).toBe('a [2Jb');
});

test('colours are for terminals, unless NO_COLOR asks for none', () => {
  expect(coloursOf({ isTTY: true }, {}).bold('a')).toContain(ESCAPE);
  for (const [isTTY, env] of [
    [false, { CI: '1', FORCE_COLOR: '1' }],
    [true, { NO_COLOR: '1' }],
    [true, { TERM: 'dumb' }],
  ] as const) {
    expect(coloursOf({ isTTY }, env).bold('a')).toBe('a');
  }
});

test('a table has columns as wide as their widest cell, whatever their script, and no colours of its own', () => {
  expect(
    table(
      ['name', 'n'],
      [
        ['张三', 'x'],
        ['a', 'y'],
      ],
    ),
  ).toBe('name  n\n张三  x\na     y\n');
});

test('throughput is the growth of the counters, with processes that came and went', () => {
  const before = countersIn(
    'ruyi_stored_total{kind="send",process="a"} 100\nruyi_stored_total{kind="fanout",process="a"} 5',
  );
  const now = countersIn(
    'other 1\nruyi_stored_total{kind="send",process="b"} 20\nruyi_stored_total{kind="fanout",process="a"} 25\nruyi_stored_total{kind="send",process="a"} 140',
  );
  expect(rates(before, now, 2)).toEqual({ send: 30, fanout: 10 });
  expect(rates(now, before, 2)).toEqual({ send: 0, fanout: 0 });
});

test('top shows lanes, who works them, the oldest job, memory and broadcasts', () => {
  const colours = coloursOf({}, {});
  const page = pageOf(
    {
      at: 1000,
      stored_per_second: { send: 1200, fanout: 34_000 },
      lanes: [
        { name: 'send.0', kind: 'send', worker: 'worker-1', jobs: 2, backlog: 1500, oldest_job_at: 990 },
        { name: 'send.1', kind: 'send', worker: null, jobs: 0, backlog: 0, oldest_job_at: null },
      ],
      index: { jobs: 1, backlog: 7, oldest_job_at: 400 },
      redis: [{ node: 'one:6379', memory_bytes: 5e8, memory_max_bytes: 1e9 }],
      broadcasts: [],
    },
    colours,
  );
  expect(page).toBe(`stored  1,200 messages/s, 34,000 recipients/s
redis   one:6379 500 MB of 1.0 GB (50 %)

lane    worker    jobs  recipients  oldest job
send.0  worker-1  2     1,500       10 s
send.1  nobody    0     0           -
index             1     7           10 min 0 s

broadcasts
none is running
`);
});
