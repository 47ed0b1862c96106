import { createReadStream } from 'node:fs';
import { parseArgs } from 'node:util';
import { oneLine, StartError } from '@ruyi/process';
import type { Imported } from '@ruyi/store';
import { readLines } from './transfer/lineStream.ts';
import { listOf, progressLine } from './transfer/progressLine.ts';

const USAGE = 'ruyi import [--json] <file> | -';

const warn = (line: string) => void process.stderr.write(`${line}\n`);

/** `ruyi import` (program.ts has its help). @returns the exit code */
export async function importCommand(args: string[], env: NodeJS.ProcessEnv): Promise<number> {
  const wanted = wantedOf(args);
  if (typeof wanted === 'string') {
    warn(`${wanted}\n\n${USAGE}`);
    return 2;
  }
  const { path, json } = wanted;
  const lines = path === '-' ? readLines(process.stdin) : linesOfFile(path);
  // The first line is read before anything is started.
  const first = await lines.next();
  if (first.done) throw new StartError(`${path}: it is empty`);
  const [{ withRedis }, { waitingJobs }, { importLines }] = await Promise.all([
    import('./transfer/withRedis.ts'),
    import('./transfer/waitingJobs.ts'),
    import('@ruyi/store'),
  ]);
  return withRedis({ env, create: true, say: warn }, async (config, redis) => {
    const progress = progressLine();
    const imported = await importLines(joined(first.value, lines), {
      redis,
      limits: config,
      hasJobs: async () => (await waitingJobs(redis)) > 0,
      onProgress: (count) => progress.show(() => `${count.toLocaleString('en')} lines`),
    }).finally(() => progress.end());
    if (json) process.stdout.write(`${JSON.stringify(imported)}\n`);
    else report(imported, config.shards);
    return 0;
  });
}

/** @returns what is wrong with the arguments, if something is */
function wantedOf(args: string[]): { path: string; json: boolean } | string {
  try {
    const options = { json: { type: 'boolean' } } as const;
    const { values, positionals } = parseArgs({ args, options, allowPositionals: true });
    const [path, ...more] = positionals;
    if (path === undefined || more.length > 0) return 'give one file, or - for stdin';
    return { path, json: values.json ?? false };
  } catch (error) {
    return oneLine(error);
  }
}

async function* linesOfFile(path: string): AsyncGenerator<string> {
  try {
    yield* readLines(createReadStream(path));
  } catch (error) {
    throw new StartError(`${path}: ${oneLine(error)}`);
  }
}

async function* joined(first: string, rest: AsyncIterable<string>): AsyncGenerator<string> {
  yield first;
  yield* rest;
}

function report(imported: Imported, shards: number): void {
  const { counts, unreadable, leftOut, continued } = imported;
  process.stdout.write(`imported${continued ? ' (continued)' : ''}: ${listOf(counts)}\n`);
  if (unreadable > 0) warn(`${unreadable} damaged things were left out of the export`);
  if (leftOut > 0) {
    warn(
      `${leftOut} idempotency records were left out, because SHARDS=${shards} differs: a retry of a request from before is stored again`,
    );
  }
}
