import { readFileSync } from 'node:fs';
import type { RedisClient } from './client.ts';

type Argument = string | number;

/** Runs the script: EVALSHA, with EVAL where Redis has forgotten it. @returns its reply */
export type Script = (redis: RedisClient, keys: string[], args?: Argument[]) => Promise<unknown>;

const files = new Map<string, string>();

/**
 * The Lua script that lies beside its caller, as a function. A line `-- include ../include/trim.lua` in it is replaced by
 * that file.
 * @param callerUrl `import.meta.url` of the caller
 * @param name of the file, without `.lua`; no two scripts may have the same one
 */
export function loadScript(callerUrl: string, name: string): Script {
  const file = new URL(`${name}.lua`, callerUrl);
  const command = name.replace(/-(\w)/g, (_, letter: string) => letter.toUpperCase());
  if ((files.get(command) ?? file.href) !== file.href) throw new Error(`two scripts are called ${name}`);
  files.set(command, file.href);
  const lua = readLua(file);
  return async (redis, keys, args = []) => {
    if (!(command in redis)) redis.defineCommand(command, { lua });
    const run: unknown = Reflect.get(redis, command);
    if (typeof run !== 'function') throw new Error(`${command} is no command`);
    return Reflect.apply(run, redis, [keys.length, ...keys, ...args]);
  };
}

function readLua(file: URL): string {
  const lua = readFileSync(file, 'utf8');
  return lua.replace(/^-- include (\S+)$/gm, (_, path: string) => readLua(new URL(path, file)));
}
