import type { RedisClient } from '@ruyi/redis';
import type { z } from 'zod';
import type { StoreLimits } from '../append/appendContext.ts';
import { createStore } from '../store.ts';
import { beginImport } from './beginImport.ts';
import { Importer } from './importer.ts';
import { EndLine, HeaderLine, ThingLine } from './lines.ts';

/** Lines and characters that are stored together. */
const AT_ONCE = { lines: 512, characters: 4 * 1024 * 1024 };

interface ImportOptions {
  redis: RedisClient;
  /** of the installation that is to be filled */
  limits: Omit<StoreLimits, 'shards'> & { shards: number };
  /** whether jobs wait on the queues */
  hasJobs(): Promise<boolean>;
  /** told after each call how many lines are stored */
  onProgress(lines: number): void;
}

export interface Imported {
  /** lines of each kind */
  counts: Record<string, number>;
  /** damaged things that the export left out */
  unreadable: number;
  /** idempotency records that were left out, because this installation has another number of shards */
  leftOut: number;
  /** an earlier import of the same export was interrupted */
  continued: boolean;
}

/** A line of an export that cannot be used; its message is one line that names it. */
export class LineError extends Error {
  override readonly name = 'LineError';
}

/**
 * Imports an export into an installation without data, in which no process runs. Interrupted, it is continued by importing
 * the same export again.
 * @throws LineError, or InstallationError if the export may not be imported here
 */
export async function importLines(lines: AsyncIterable<string>, options: ImportOptions): Promise<Imported> {
  const { redis, limits, onProgress } = options;
  const target = { redis, shards: limits.shards, hasJobs: options.hasJobs };
  let importer: Importer | undefined;
  let continued = false;
  let end: EndLine | undefined;
  let number = 0;
  const counts: Record<string, number> = {};
  const some: ThingLine[] = [];
  let characters = 0;
  const flush = async () => {
    await importer?.store(some);
    onProgress(number);
    some.length = 0;
    characters = 0;
  };
  for await (const text of lines) {
    number++;
    if (!importer) {
      const header = parse(HeaderLine, text, number);
      const begun = await beginImport(target, header);
      continued = begun.continued;
      // Only now it is known how the keys of this installation name its shards.
      const store = createStore(redis, { ...limits, shards: begun.shards });
      importer = new Importer(redis, store, { formerShards: header.shards, now: await store.clock() });
    } else if (end) throw new LineError(`line ${number}: the export ended before this line`);
    else if (text.startsWith('{"kind":"end"')) end = parse(EndLine, text, number);
    else {
      const line = parse(ThingLine, text, number);
      counts[line.kind] = (counts[line.kind] ?? 0) + 1;
      some.push(line);
      characters += text.length;
      if (some.length >= AT_ONCE.lines || characters >= AT_ONCE.characters) await flush();
    }
  }
  await flush();
  if (!importer || !end) throw new LineError(`the export is cut short after line ${number}: make it again`);
  requireCounts(end, counts);
  await importer.finish(end.next_id);
  return { counts, unreadable: end.unreadable, leftOut: importer.leftOut, continued };
}

function parse<T>(schema: z.ZodType<T>, text: string, number: number): T {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new LineError(`line ${number}: it is no JSON`);
  }
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw new LineError(`line ${number}: ${[issue?.path.join('.'), issue?.message].filter(Boolean).join(': ')}`);
}

/** Lines may be lost in the middle, by a tool that handles the file. */
function requireCounts(end: EndLine, counts: Record<string, number>): void {
  for (const kind of new Set([...Object.keys(end.counts), ...Object.keys(counts)])) {
    const [said, found] = [end.counts[kind] ?? 0, counts[kind] ?? 0];
    if (said !== found) {
      throw new LineError(`the export has ${found} lines of kind ${kind} and says that it has ${said}: make it again`);
    }
  }
}
