import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';

const FIRST = 'messages.sqlite';

/**
 * Which file in the folder is the index. Each new index has a new name, so that no process takes the old one's journal for
 * it. `current` and `next` are small files that contain a name; without `current` the index is FIRST.
 */
export class IndexFiles {
  readonly #directory: string;

  constructor(directory: string) {
    this.#directory = directory;
  }

  current(): string {
    return join(this.#directory, this.#read('current') ?? FIRST);
  }

  /** The file that is being filled to take the place of the current one. */
  next(): string | undefined {
    const name = this.#read('next');
    return name === undefined ? undefined : join(this.#directory, name);
  }

  /** Names a file to be filled. One that was begun before is removed. */
  begin(): string {
    const former = this.next();
    if (former !== undefined) removeIndex(former);
    const name = `messages-${Date.now().toString(36)}.sqlite`;
    this.#write('next', name);
    return join(this.#directory, name);
  }

  /** Makes the next file the current one. @returns the old file, for the caller to remove */
  swap(): string {
    const old = this.current();
    renameSync(join(this.#directory, 'next'), join(this.#directory, 'current'));
    return old;
  }

  /** Removes files that a process left behind because it was killed right after a swap. */
  tidy(): void {
    const kept = [this.current(), this.next()].map((path) => path && basename(path));
    for (const name of existsSync(this.#directory) ? readdirSync(this.#directory) : []) {
      if (/^messages.*\.sqlite$/.test(name) && !kept.includes(name)) removeIndex(join(this.#directory, name));
    }
  }

  #read(pointer: string): string | undefined {
    const path = join(this.#directory, pointer);
    return existsSync(path) ? readFileSync(path, 'utf8') : undefined;
  }

  #write(pointer: string, name: string): void {
    mkdirSync(this.#directory, { recursive: true });
    const path = join(this.#directory, pointer);
    writeFileSync(`${path}.new`, name, { flush: true });
    renameSync(`${path}.new`, path);
  }
}

export function removeIndex(file: string): void {
  for (const one of [file, `${file}-wal`, `${file}-shm`, suspicionOf(file)]) rmSync(one, { force: true });
}

/** The file that a reader creates to report damage to the writer, which alone may replace a damaged index. */
export const suspicionOf = (file: string): string => `${file}.suspect`;
