import { fileURLToPath } from 'node:url';
import { freePort, processesOf, startProcess, type TestProcess, tempDir, waitFor } from '@ruyi/testkit';

const RUYI = fileURLToPath(new URL('../apps/cli/dist/main.js', import.meta.url));
const START = fileURLToPath(new URL('../scripts/start.mjs', import.meta.url));

export interface Installation {
  dataDir: string;
  api: string;
  board: string;
  /** Runs `ruyi …` on this installation. */
  ruyi(...args: string[]): Promise<{ code: number | null; output: string }>;
  /** The same with other settings. */
  ruyiWith(env: Record<string, string>, ...args: string[]): Promise<{ code: number | null; output: string }>;
  /** The id of the process whose command line contains `text`. */
  pidOf(text: string): number;
  /** Starts what `npm start` starts, and waits until everything serves. */
  start(): Promise<TestProcess>;
  post<T = Record<string, unknown>>(path: string, body: unknown): Promise<{ status: number; body: T }>;
  get<T = Record<string, unknown>>(path: string): Promise<{ status: number; body: T }>;
  /** Searches, again while no search process has the time: a busy machine may give it none for seconds. */
  search<T = { total: number }>(query: object): Promise<T>;
  remove(): Promise<void>;
}

/** An installation as an operator has it after `npm start`, with its own folder and ports. */
export async function newInstallation(env: Record<string, string> = {}): Promise<Installation> {
  const folder = tempDir('ruyi data');
  const [port, boardPort] = [await freePort(), await freePort()];
  const api = `http://127.0.0.1:${port}`;
  const settings = {
    DATA_DIR: folder.path,
    PORT: String(port),
    BOARD_PORT: String(boardPort),
    REDIS_MAXMEMORY: String(512 * 1024 * 1024),
    ...env,
  };
  const started: TestProcess[] = [];
  const call = async <T>(path: string, init?: RequestInit) => {
    const response = await fetch(`${api}${path}`, init);
    return { status: response.status, body: (await response.json()) as T };
  };
  const ruyiWith = async (more: Record<string, string>, ...args: string[]) => {
    const process = await startProcess(RUYI, { ...settings, ...more }, { args, waitForReady: false });
    const { code } = await process.exit;
    return { code, output: process.output };
  };
  const post = <T>(path: string, body: unknown) => call<T>(path, { method: 'POST', body: JSON.stringify(body) });
  return {
    dataDir: folder.path,
    api,
    board: `http://127.0.0.1:${boardPort}`,
    ruyi: (...args) => ruyiWith({}, ...args),
    ruyiWith,
    pidOf(text) {
      const found = processesOf(folder.path).find(({ command }) => command.includes(text));
      if (!found) throw new Error(`no process with ${text} runs`);
      return found.pid;
    },
    async start() {
      const up = await startProcess(START, settings, { deadlineMs: 200_000 });
      started.push(up);
      return up;
    },
    post,
    get: <T>(path: string) => call<T>(path),
    async search<T>(query: object) {
      const ask = async () => {
        const answer = await post<T>('/plugins/wk.plugin.search/usersearch', query);
        return answer.status !== 503 && answer;
      };
      return (await waitFor(ask, { what: 'a search to be served' })).body;
    },
    async remove() {
      await Promise.all(started.map((up) => up.kill('SIGINT')));
      folder.remove();
    },
  };
}
