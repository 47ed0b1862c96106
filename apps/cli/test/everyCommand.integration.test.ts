import { readFileSync, writeFileSync } from 'node:fs';
import { createServer, type Server, type Socket } from 'node:net';
import { join } from 'node:path';
import { textPayload } from '@ruyi/client';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { bash, type Ended, inOneProcess, type Run, ruyi, testInstallation } from './commandLine.ts';

/** What holds for every command: its help, a wrong value, an address where nobody answers, JSON, a pipe that closes. */

const installation = testInstallation();

interface Row {
  args: string[];
  /** a wrong value */
  wrong: string[];
  /** what it talks to */
  needs: 'API' | 'Redis';
  /** exit code where there is nothing to do */
  code?: number;
  /** it prints JSON without being asked */
  isJson?: true;
  /** that nobody answers is a line of what it prints */
  isReport?: true;
  /** it works only on an installation without data */
  isOnce?: true;
}

/** $NO is a broadcast that is open, $DONE one that is finished. */
const ROWS: Row[] = [
  { args: ['status'], wrong: ['status', '--all'], needs: 'Redis' },
  { args: ['doctor'], wrong: ['doctor', '--all'], needs: 'Redis', isReport: true },
  { args: ['memory', '--seconds', '1'], wrong: ['memory', '--seconds', 'x'], needs: 'Redis' },
  { args: ['lanes'], wrong: ['lanes', '65'], needs: 'Redis' },
  { args: ['export'], wrong: ['export', '--type', '2'], needs: 'Redis', isJson: true },
  { args: ['import', '$FILE'], wrong: ['import'], needs: 'Redis', isOnce: true },
  { args: ['dead', 'list'], wrong: ['dead', 'list', 'x'], needs: 'Redis' },
  { args: ['dead', 'retry', '--all'], wrong: ['dead', 'retry'], needs: 'Redis' },
  { args: ['dead', 'drop', '--all', '--yes'], wrong: ['dead', 'drop', '--all'], needs: 'Redis' },
  { args: ['dead', 'export'], wrong: ['dead', 'export', '--code', 'sad'], needs: 'Redis', isJson: true },
  { args: ['reindex'], wrong: ['reindex', 'x'], needs: 'Redis' },
  { args: ['search', '--uid', 'ann', 'nothing'], wrong: ['search', '--uid', 'a@b', 'x'], needs: 'API', code: 1 },
  { args: ['top', '--once'], wrong: ['top', '--twice'], needs: 'API' },
  {
    args: ['broadcast', '--all-users', '--text', 'hi', '--yes'],
    wrong: ['broadcast', '--all-users', '--text', 'hi', '--yes', '--from', 'a@b'],
    needs: 'API',
  },
  { args: ['broadcast', 'list'], wrong: ['broadcast', 'list', '--state', 'lost'], needs: 'API' },
  { args: ['broadcast', 'show', '$NO'], wrong: ['broadcast', 'show'], needs: 'API' },
  { args: ['broadcast', 'watch', '$DONE'], wrong: ['broadcast', 'watch', 'a', 'b'], needs: 'API' },
  { args: ['broadcast', 'failures', '$DONE'], wrong: ['broadcast', 'failures', '--all'], needs: 'API' },
  { args: ['broadcast', 'pause', '$RUNNING'], wrong: ['broadcast', 'pause'], needs: 'API' },
  { args: ['broadcast', 'resume', '$RUNNING'], wrong: ['broadcast', 'resume'], needs: 'API' },
  { args: ['broadcast', 'retry', '$DONE'], wrong: ['broadcast', 'retry'], needs: 'API' },
  { args: ['broadcast', 'cancel', '$NO'], wrong: ['broadcast', 'cancel'], needs: 'API' },
];
const rows = ROWS.map((row) => ({ ...row, what: row.args.join(' ') }));
const repeatable = rows.filter(({ isOnce }) => !isOnce);

const numbers: Record<string, string> = {};
const given = ({ args }: Row) => args.map((arg) => numbers[arg] ?? arg);
/** A Redis or API that takes connections and says nothing. */
let silent: Server;
const sockets = new Set<Socket>();
let port = 0;

beforeAll(async () => {
  silent = createServer((socket) => sockets.add(socket));
  await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
  const address = silent.address();
  port = typeof address === 'object' ? (address?.port ?? 0) : 0;
  const { client } = installation;
  const payload = textPayload('hi');
  await client.registerUser({ uid: 'ann', token: 't' });
  numbers.$DONE = (await client.broadcast(['ann'], { message: { payload } })).broadcast_no;
  numbers.$NO = (await client.createBroadcast({ payload })).broadcast_no;
  const slow = (await client.createBroadcast({ payload, rate: 1 })).broadcast_no;
  const lines = Array.from({ length: 2000 }, (_, i) => `u${i}\n`).join('');
  await client.uploadRecipients({ broadcast_no: slow, part: 0, lines });
  await client.startBroadcast({ broadcast_no: slow });
  numbers.$RUNNING = slow;
  numbers.$FILE = join(installation.dir, 'lines');
  writeFileSync(numbers.$FILE, '{}\n');
});
afterAll(async () => {
  await installation.client.cancelBroadcast({ broadcast_no: numbers.$RUNNING ?? '' });
  for (const socket of sockets) socket.destroy();
  silent.close();
});

const helpOf = (args: string[]) => [...args.filter((arg) => !arg.startsWith('$')), '--help'];
/** Both take longer to load than everything else together. */
const HEAVY = ['bullmq', 'ioredis'];
/** What ends before it has begun runs in one process: to start one for each is most of the work. */
const ended = new Map<string, Ended>();
let loaded: Record<Row['needs'], string[]>;
const keyOf = (args: string[], env: object) => JSON.stringify([args, Object.keys(env).length > 0]);

beforeAll(async () => {
  const unreachable = { ...installation.env, ...nobody(2) };
  const notReached = (needs: Row['needs']) =>
    rows.filter((row) => row.needs === needs).map((row) => ({ args: given(row), env: unreachable }));
  const light = [
    ...[[], ['--version'], ...[...ROWS, { args: ['up'] }].map(({ args }) => helpOf(args))].map((args) => ({
      args,
      env: {},
    })),
    ...[['fly'], ['up', 'x'], ...ROWS.map(({ wrong }) => wrong)].map((args) => ({ args, env: installation.env })),
    ...notReached('API'),
  ];
  const note = async (runs: Run[]) => {
    const outcome = await inOneProcess(runs);
    for (const [i, { args, env }] of runs.entries()) ended.set(keyOf(args, env), outcome.runs[i] ?? expect.fail());
    return outcome.loaded;
  };
  loaded = { API: await note(light), Redis: await note(notReached('Redis')) };
});
const endOf = (args: string[], env: object) => ended.get(keyOf(args, env)) ?? expect.fail(`${args} was not run`);

test('help, the version, wrong values and what talks to the API load neither BullMQ nor ioredis', () => {
  expect(HEAVY.filter((name) => loaded.API.includes(name))).toEqual([]);
  expect(HEAVY.filter((name) => loaded.Redis.includes(name))).toEqual(HEAVY);
});

test('--version says which', () => {
  const { version } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'));
  expect(endOf(['--version'], {})).toEqual({ code: 0, stdout: `${version}\n`, stderr: '' });
});

test.each([...rows, { args: ['up'], what: 'up' }])('$what --help shows examples', ({ args }) => {
  const { code, stdout, stderr } = endOf(helpOf(args), {});
  expect([code, stderr]).toEqual([0, '']);
  expect(stdout).toMatch(/^Usage: ruyi /);
  expect(stdout).toMatch(/\nExamples:\n {2}\S/);
});

test.each(rows)('$what with a wrong value exits with 2 and says why', ({ wrong }) => {
  const { code, stdout, stderr } = endOf(wrong, installation.env);
  expect([code, stdout]).toEqual([2, '']);
  expect(stderr).toMatch(/\S\n$/);
  expect(stderr).not.toMatch(/at .*\.js:\d+/);
});

test.each(rows)('$what where nobody listens is one line and exit 1', (row) => {
  const { code, stdout, stderr } = endOf(given(row), installation.env);
  expect([code, row.isReport ? '' : stdout]).toEqual([1, '']);
  expect(row.isReport ? linesAbout('redis', stdout) : stderr).toMatch(/^[^\n]*127\.0\.0\.1:2\b[^\n]*\n$/);
});

test.concurrent.each(rows)('$what where nobody answers is one line and exit 1', async (row) => {
  const { code, stdout, stderr } = await ruyi(given(row), { ...installation.env, ...nobody(port) });
  expect([code, row.isReport ? '' : stdout]).toEqual([1, '']);
  expect(row.isReport ? linesAbout('redis', stdout) : stderr).toMatch(
    new RegExp(`^[^\n]*127\\.0\\.0\\.1:${port}\\b[^\n]*\n$`),
  );
});

/** The lines of a report in which a check fails. */
const linesAbout = (check: string, report: string) =>
  report
    .split('\n')
    .filter((line) => line.startsWith(`fail  ${check} `))
    .map((line) => `${line}\n`)
    .join('');

const nobody = (where: number) => ({
  REDIS_URL: `redis://127.0.0.1:${where}`,
  RUYI_URL: `http://127.0.0.1:${where}`,
  PORT: String(where),
});

test.concurrent.each(repeatable)('$what --json prints lines of JSON, without colours', async (row) => {
  const { code, stdout, stderr } = await ruyi([...given(row), ...(row.isJson ? [] : ['--json'])], {
    ...installation.env,
    CI: '1',
    FORCE_COLOR: '1',
  });
  // On a busy machine a report may find something.
  const found = row.isReport ? Number(stdout.includes('"status":"fail"')) : (row.code ?? 0);
  expect([code, row.isJson ? '' : stderr]).toEqual([found, '']);
  const lines = stdout.split('\n').filter((line) => line !== '');
  for (const line of lines) expect(() => JSON.parse(line)).not.toThrow();
  if (!row.isJson && !row.args.includes('failures') && !row.args.includes('dead')) expect(lines.length).toBe(1);
});

test.concurrent.each(repeatable)('$what into a pipe that closes ends without a word', async (row) => {
  const line = `$RUYI ${given(row)
    .map((arg) => `'${arg}'`)
    .join(' ')} | true; echo "\${PIPESTATUS[0]}"`;
  const { stdout, stderr } = await bash(line, { ...installation.env, FORCE_COLOR: '1' });
  expect(stderr.split('\n').filter((said) => /EPIPE|Error|^ +at /.test(said))).toEqual([]);
  expect(['0', String(row.isReport ? 1 : (row.code ?? 0))]).toContain(stdout.trim());
});

test('without a command it shows them all, and an unknown one is refused', async () => {
  const { code, stdout } = endOf([], {});
  expect(code).toBe(0);
  for (const name of new Set(ROWS.map(({ args }) => args[0] ?? '')))
    expect(stdout).toMatch(new RegExp(`^ {2}${name} `, 'm'));
  const refused = { code: 2, stdout: '', stderr: "unknown command 'fly'\n" };
  expect(endOf(['fly'], installation.env)).toEqual(refused);
  // A process of its own ends like that, too.
  expect(await ruyi(['fly'], {})).toEqual(refused);
  expect(await ruyi([], {})).toEqual({ code: 0, stdout, stderr: '' });
});
