import { fileURLToPath } from 'node:url';
import { startProcess } from '@ruyi/testkit';

const RUYI = fileURLToPath(new URL('../../../apps/cli/dist/main.js', import.meta.url));

/** Runs `ruyi …` like an operator. */
export async function ruyi(env: Record<string, string>, ...args: string[]): Promise<{ code: number; output: string }> {
  const process = await startProcess(RUYI, env, { args, waitForReady: false });
  const { code } = await process.exit;
  return { code: code ?? -1, output: process.output };
}
