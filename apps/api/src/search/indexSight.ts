import { every } from '@ruyi/flow';
import { readIndexId, type SearchReader, SearchUnavailableError } from '@ruyi/search';
import type { Store } from '@ruyi/store';

const LOOK_EVERY_MS = 1000;

/** This API sees another index than the indexer writes. */
export class OtherIndexError extends SearchUnavailableError {
  override readonly fix = 'let the API and the indexer share DATA_DIR, or set MEILI_URL for both';
}

/** Whether this API sees the index that the indexer writes: with another file it would answer a part of what there is. */
export class IndexSight {
  readonly #store: Store;
  readonly #directory: string | undefined;
  readonly #onChange: (isOther: boolean) => void;
  readonly #stop: () => Promise<void>;
  #isOther = false;

  /** @param directory of the embedded index; undefined with a search server, which everybody sees */
  constructor(
    store: Store,
    directory: string | undefined,
    { onChange, onError }: { onChange(isOther: boolean): void; onError(error: unknown, inARow: number): void },
  ) {
    this.#onChange = onChange;
    this.#store = store;
    this.#directory = directory;
    this.#stop = directory === undefined ? async () => {} : every(LOOK_EVERY_MS, () => this.#look(), onError);
  }

  /** Compares the index of this API's folder with that of the installation. */
  async #look(): Promise<void> {
    const id = await this.#store.indexOwner.indexId();
    const isOther = id !== undefined && id !== readIndexId(this.#directory ?? '');
    if (isOther !== this.#isOther) this.#onChange(isOther);
    this.#isOther = isOther;
  }

  /** A reader that refuses while it would read another index. */
  guard(reader: SearchReader): SearchReader {
    return {
      warm: () => reader.warm(),
      run: async (user, work) => {
        this.#require();
        return reader.run(user, work);
      },
      check: async () => {
        this.#require();
        await reader.check();
      },
      close: async () => {
        await Promise.all([this.#stop(), reader.close()]);
      },
    };
  }

  /** @throws SearchUnavailableError if it is another index */
  #require(): void {
    if (!this.#isOther) return;
    throw new OtherIndexError(
      'this API does not see the search index that the indexer writes: let them share DATA_DIR, or set MEILI_URL',
    );
  }
}
