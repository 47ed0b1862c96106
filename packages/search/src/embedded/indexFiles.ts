import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';

const FIRST = 'messages.sqlite';

/**
 * Which of the files in the folder is the index: a new one has a name of its own, so that no process takes the old one's
 * journal for it. `current` and `next` are small files with a name in them; without `current` it is the first name.
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

  /** Names a file to be filled; one that was begun before is dropped. */
  begin(): string {
    const former = this.next();
    if (former !== undefined) removeIndex(former);
    const name = `messages-${Date.now().toString(36)}.sqlite`;
    this.#write('next', name);
    return join(this.#directory, name);
  }

  /** Makes the next file the current one. @returns the old one, to be removed */
  swap(): string {
    const old = this.current();
    renameSync(join(this.#directory, 'next'), join(this.#directory, 'current'));
    return old;
  }

  /** Removes what a process left that was killed right after a swap. */
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

/** A file that a reader leaves for the writer, who alone may replace a damaged index. */
export const suspicionOf = (file: string): string => `${file}.suspect`;
