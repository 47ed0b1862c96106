import { spawnSync } from 'node:child_process';
import { lstatSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { processesOf, waitFor } from '@ruyi/testkit';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Installation, newInstallation } from './installation.ts';

const AS_NOBODY = ['--reuid=nobody', '--regid=nogroup', '--clear-groups'];
const canBeNobody = process.getuid?.() === 0 && spawnSync('setpriv', [...AS_NOBODY, 'true']).status === 0;
if (!canBeNobody) console.log('skipped: tests with a second user need root and setpriv');

let ruyi: Installation;
let dataDir: string;

beforeAll(async () => {
  ruyi = await newInstallation();
  await ruyi.start();
  dataDir = dataDirOfWorker();
});
afterAll(() => ruyi.remove());

/** DATA_DIR, from the environment of one of its processes. */
function dataDirOfWorker(): string {
  const environ = readFileSync(`/proc/${ruyi.pidOf('worker')}/environ`, 'utf8');
  return /(?:^|\0)DATA_DIR=([^\0]+)/.exec(environ)?.[1] ?? '';
}

async function sendAndFind(n: number): Promise<void> {
  const payload = Buffer.from(JSON.stringify({ type: 1, content: `word${n} said` })).toString('base64');
  const message = { from_uid: 'ann', channel_id: 'bob', channel_type: 1, payload, client_msg_no: `m${n}` };
  await waitFor(async () => (await ruyi.post('/message/send', message)).status === 200, {
    what: 'a message to be taken',
    deadlineMs: 30_000,
  });
  await waitFor(
    async () => {
      const query = { uid: 'bob', payload: { content: `word${n}` } };
      const { body } = await ruyi.post<{ total?: number }>('/plugins/wk.plugin.search/usersearch', query);
      return body.total === 1;
    },
    { what: 'the message to be found', deadlineMs: 30_000 },
  );
}

test('messages are stored and found over the socket, even after redis-server was killed', async () => {
  await sendAndFind(1);
  process.kill(ruyi.pidOf('redis-server'), 'SIGKILL');
  await sendAndFind(2);
  expect(await ruyi.ruyi('dead', 'list')).toEqual({ code: 0, output: '0 dead letters\n' });
});

test('only the user of the installation can access its files', () => {
  const paths = readdirSync(dataDir, { recursive: true, encoding: 'utf8' }).map((name) => join(dataDir, name));
  for (const name of ['redis.sock', 'messages.sqlite', 'messages.sqlite-wal', 'appendonly.aof.1.incr.aof', 'api.log']) {
    expect(paths.some((path) => path.endsWith(`/${name}`))).toBe(true);
  }
  const open = [dataDir, ...paths].filter(
    (path) => ((lstatSync(path, { throwIfNoEntry: false })?.mode ?? 0) & 0o077) !== 0,
  );
  expect(open).toEqual([]);
});

test.runIf(canBeNobody)('another user cannot read its files, variables or passwords', () => {
  const asNobody = (command: string, ...args: string[]) =>
    spawnSync('setpriv', [...AS_NOBODY, command, ...args], { encoding: 'utf8' });
  const pids = processesOf(dataDir).map(({ pid }) => pid);
  expect(pids.length).toBeGreaterThanOrEqual(6);
  for (const pid of pids) expect(asNobody('cat', `/proc/${pid}/environ`)).toMatchObject({ stdout: '' });
  expect(asNobody('find', dataDir).stderr).toContain('Permission denied');
  expect(asNobody('cat', join(dataDir, 'run', 'redis-url'))).toMatchObject({ stdout: '' });
  const connecting = 'require("node:net").connect(process.argv[1]).on("error", (e) => console.log(e.code))';
  const socket = join(dataDir, 'run', 'redis.sock');
  expect(asNobody(process.execPath, '-e', connecting, socket).stdout).toBe('EACCES\n');
  // `ruyi` says why it cannot work.
  const cli = new URL('../apps/cli/dist/main.js', import.meta.url).pathname;
  const env = { PATH: process.env.PATH ?? '', DATA_DIR: dataDir };
  const list = spawnSync('setpriv', [...AS_NOBODY, process.execPath, cli, 'dead', 'list'], { encoding: 'utf8', env });
  expect(list.status).toBe(1);
  expect(list.stderr).toMatch(/^DATA_DIR=.*: cannot be read \(EACCES.*as the user that Ruyi runs as[^\n]*\n$/);
});
