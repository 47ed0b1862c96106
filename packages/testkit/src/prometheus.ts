import { spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { onPath } from '@ruyi/process';
import { endAtExit, signalGroup } from './atExit.ts';
import { freePort } from './freePort.ts';
import { installTool } from './installTool.ts';
import { tempDir } from './tempDir.ts';
import { waitFor } from './waitFor.ts';

/** Prometheus' own checker of rules and metrics, or undefined. */
export const findPromtool = (): string | undefined => onPath('promtool', process.env.PATH);

/** The server, or undefined. */
export const findPrometheus = (): string | undefined => onPath('prometheus', process.env.PATH);

/** Finds Prometheus and promtool, or installs both (installTool): one package has them. */
export const installPrometheus = (say: (line: string) => void): string | undefined =>
  installTool(
    {
      name: 'Prometheus',
      package: 'prometheus',
      service: 'prometheus',
      skipped: 'tests of alerts and of the dashboard are skipped',
      find: () => findPromtool() && findPrometheus(),
    },
    say,
  );

export interface TestPrometheus {
  readonly url: string;
  /** Asks its HTTP API. @returns the answer, which has `data` @throws Error with what it says is wrong */
  ask(path: string, query?: Record<string, string>): Promise<unknown>;
  stop(): Promise<void>;
}

/**
 * Starts a real Prometheus on a free loopback port, with a folder of its own. Resolves when it answers.
 * @param binary what findPrometheus has found
 * @param config its configuration, as YAML or JSON
 */
export async function startPrometheus(binary: string, config: string): Promise<TestPrometheus> {
  const folder = tempDir('prometheus');
  const file = join(folder.path, 'prometheus.yml');
  writeFileSync(file, config);
  const url = `http://127.0.0.1:${await freePort()}`;
  const args = [
    `--config.file=${file}`,
    `--storage.tsdb.path=${join(folder.path, 'data')}`,
    `--web.listen-address=${url.slice('http://'.length)}`,
    '--log.level=warn',
  ];
  const child = spawn(binary, args, { cwd: folder.path, stdio: ['ignore', 'ignore', 'pipe'], detached: true });
  let output = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    output += text;
  });
  const ended = endAtExit(child.pid ?? 0);
  const gone = new Promise<void>((resolve) => {
    child.once('error', () => resolve());
    child.once('exit', () => resolve());
  }).then(ended);
  const stop = async () => {
    signalGroup(child.pid ?? 0, 'SIGKILL');
    await gone;
    folder.remove();
  };
  const isReady = async () => {
    if (child.exitCode !== null) return true;
    return (await fetch(`${url}/-/ready`)).ok;
  };
  await waitFor(isReady, { what: 'Prometheus to be ready', deadlineMs: 60_000, everyMs: 100 });
  if (child.exitCode !== null) {
    await stop();
    throw new Error(`Prometheus ended at once: ${output}`);
  }
  return { url, ask: (path, query = {}) => ask(`${url}/api/v1/${path}?${new URLSearchParams(query)}`), stop };
}

async function ask(url: string): Promise<unknown> {
  const answer = await fetch(url);
  if (!answer.ok) throw new Error(`Prometheus: ${await answer.text()}`);
  return answer.json();
}
