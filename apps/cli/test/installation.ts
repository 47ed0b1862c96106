import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { freePort, processesOf, startProcess, type TestProcess, tempDir, waitFor } from '@ruyi/testkit';

const UP = fileURLToPath(new URL('./fixtures/up.mjs', import.meta.url));

/** An installation for one test: its folder and ports, and the processes on them. */
export interface Installation {
  dataDir: string;
  env: Record<string, string>;
  apiUrl: string;
  /** Starts `ruyi up` and waits for its banner. */
  start(env?: Record<string, string>): Promise<TestProcess>;
  /** Starts `ruyi up` and does not wait for anything. */
  begin(env?: Record<string, string>): Promise<TestProcess>;
  /** Starts `ruyi up`, which must fail to start. */
  startInVain(env?: Record<string, string>): Promise<{ code: number | null; stderr: string }>;
  /** Every running process of this installation, including the supervisor. */
  running(): { pid: number; command: string }[];
  /** The process whose command line contains `text`. */
  pidOf(text: string): number;
  nothingRuns(): Promise<void>;
  /** The lines that the stand-ins wrote. */
  events(): string[];
  remove(): Promise<void>;
}

export async function newInstallation(): Promise<Installation> {
  // The name contains a space, because any path must work.
  const folder = tempDir('data dir');
  const port = await freePort();
  const env = {
    DATA_DIR: folder.path,
    HOST: '127.0.0.1',
    PORT: String(port),
    BOARD_HOST: '127.0.0.1',
    BOARD_PORT: String(await freePort()),
    REDIS_MAXMEMORY: String(64 * 1024 * 1024),
  };
  const started: TestProcess[] = [];
  const begin = async (more: Record<string, string> = {}) => {
    const up = await startProcess(UP, { ...env, ...more }, { waitForReady: false });
    started.push(up);
    return up;
  };
  const running = () => processesOf(folder.path);
  const nothingRuns = async () => {
    await waitFor(() => running().length === 0, { what: `processes of ${folder.path} to end`, deadlineMs: 15_000 });
  };
  return {
    dataDir: folder.path,
    env,
    apiUrl: `http://127.0.0.1:${port}`,
    begin,
    running,
    nothingRuns,
    pidOf(text) {
      const [one, ...more] = running().filter(({ command }) => command.includes(text));
      if (!one || more.length > 0) throw new Error(`${more.length + (one ? 1 : 0)} processes with ${text}`);
      return one.pid;
    },
    async start(more = {}) {
      const up = await startProcess(UP, { ...env, ...more });
      started.push(up);
      return up;
    },
    async startInVain(more = {}) {
      const up = await begin(more);
      const { code } = await up.exit;
      return { code, stderr: up.stderr };
    },
    events() {
      return readFileSync(join(folder.path, 'events'), 'utf8').trim().split('\n');
    },
    async remove() {
      await Promise.all(started.map((up) => up.kill('SIGTERM')));
      await nothingRuns();
      folder.remove();
    },
  };
}
