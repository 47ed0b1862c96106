import { readdirSync, readFileSync } from 'node:fs';
import type { Redis } from 'ioredis';

type Argument = string | number;

let cached: Record<string, { lua: string }> | undefined;

/**
 * The Lua scripts beside this file as ioredis commands, named after their file: append-messages.lua → appendMessages.
 * A line `-- include trim` is replaced by include/trim.lua.
 */
export function readScripts(): Record<string, { lua: string }> {
  cached ??= Object.fromEntries(
    readdirSync(new URL('.', import.meta.url))
      .filter((file) => file.endsWith('.lua'))
      .map((file) => [commandName(file), { lua: withIncludes(read(file)) }]),
  );
  return cached;
}

const read = (file: string) => readFileSync(new URL(file, import.meta.url), 'utf8');
const withIncludes = (lua: string) => lua.replace(/^-- include (\S+)$/gm, (_, name) => read(`include/${name}.lua`));
const commandName = (file: string) => file.slice(0, -4).replace(/-(\w)/g, (_, letter: string) => letter.toUpperCase());

/** Calls one of the scripts: EVALSHA, with EVAL where Redis has forgotten it. Keys first, then arguments. */
export async function runScript(redis: Redis, name: string, keys: string[], args: Argument[]): Promise<unknown> {
  const command: unknown = Reflect.get(redis, name);
  if (typeof command !== 'function') throw new Error(`no script ${name}`);
  return Reflect.apply(command, redis, [keys.length, ...keys, ...args]);
}
