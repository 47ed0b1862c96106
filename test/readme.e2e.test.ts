import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Installation, newInstallation } from './installation.ts';

const run = promisify(execFile);
const README = readFileSync(new URL('../README.md', import.meta.url), 'utf8');

let ruyi: Installation;

beforeAll(async () => {
  ruyi = await newInstallation();
  await ruyi.start();
});
afterAll(() => ruyi.remove());

test("the README's first broadcast works as printed", async () => {
  const [, printed = ''] = /## A first broadcast.*?```sh\n(.*?)```/s.exec(README) ?? [];
  const address = 'API=http://127.0.0.1:5001\n';
  expect(printed).toContain(address);
  // Only the address is replaced.
  const script = printed.replace(address, `API=${ruyi.api}\n`);
  const { stdout } = await run('bash', ['-euo', 'pipefail', '-c', script], { timeout: 120_000 });
  expect(stdout).toContain('"stored":10000');
  expect(stdout.match(/"message_seq":1,"from_uid":"news","channel_id":"u\d+"/g)).toHaveLength(3);
  expect(stdout).toContain('你是<mark>北京</mark>大学的吗');
});

test("the README's ruyi broadcast works as printed", async () => {
  const [, printed = ''] = /```sh\n([^`]*npx ruyi broadcast[^`]*)```/.exec(README) ?? [];
  const env = { ...process.env, RUYI_URL: ruyi.api };
  const { stdout } = await run('bash', ['-euo', 'pipefail', '-c', printed], { env, timeout: 120_000 });
  expect(stdout).toMatch(/ done: 20,000 of 20,000 stored, 0 failed/);
});

test('the commands of docs/operating.md work as printed', async () => {
  const page = readFileSync(new URL('../docs/operating.md', import.meta.url), 'utf8');
  const marked = /<!-- not run: [^>]+ -->\n\n *```sh\n[\s\S]*?^ *```$/gm;
  const blocks = [...page.replace(marked, '').matchAll(/^```sh\n([\s\S]*?)^```$/gm)].map(([, script]) => script);
  expect(blocks.length).toBeGreaterThan(2);
  const env = { ...process.env, RUYI_URL: ruyi.api, DATA_DIR: ruyi.dataDir };
  const { stdout } = await run('bash', ['-euo', 'pipefail', '-c', blocks.join('\n')], { env, timeout: 120_000 });
  expect(stdout).toContain('0 dead letters');
  expect(stdout).toMatch(/worker-\w+/);
});
