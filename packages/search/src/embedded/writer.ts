import { existsSync, mkdirSync, renameSync, rmSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import Sqlite, { type Database, type Statement } from 'better-sqlite3';
import { type Token, tokensOf } from '../analyzer/tokens.ts';
import { CONTENT_FIELD, type RefusedDocument, type SearchDocument, SearchUnavailableError } from '../port.ts';
import { isDamaged, suspicionOf } from './damage.ts';
import { createSchema, keyBytes } from './schema.ts';

interface Statements {
  document: Statement;
  move: Statement;
  audience: Statement;
  text: Statement;
  addField: Statement;
  fieldId: Statement;
}

/**
 * The one writer of the index file. A batch is one transaction, on disk (synchronous=FULL) when `index` returns: its
 * jobs leave the queue then, and nothing but a rebuild would bring the documents back.
 */
export class IndexWriter {
  readonly #file: string;
  readonly #onLost: (reason: string) => void;
  #database: Database | undefined;
  #statements: Statements | undefined;
  #inode = 0;
  #size = 0;
  /** whether the tables were made when the file was opened: an empty file is what a process leaves that is killed early */
  #isNew = false;
  #fields = new Map<string, number>();

  /** @param onLost is told when the index had to be begun anew: it misses everything from before */
  constructor(file: string, onLost: (reason: string) => void) {
    this.#file = file;
    this.#onLost = onLost;
  }

  /** @returns whether the index is new */
  open(): boolean {
    this.#openFile();
    return this.#isNew;
  }

  /** Notices an index that was removed or damaged, and begins it anew, also while nothing is written. */
  check(): void {
    this.#guarded(() => {
      this.#current();
      if (!existsSync(suspicionOf(this.#file))) return;
      rmSync(suspicionOf(this.#file));
      const verdict = this.#quickCheck();
      if (verdict !== 'ok') this.#startAnew(`damaged: ${verdict}`);
      this.#current();
    });
  }

  index(documents: SearchDocument[]): RefusedDocument[] {
    return this.#guarded(() => {
      const database = this.#current();
      const refused: RefusedDocument[] = [];
      database.transaction(() => {
        for (const document of documents) {
          const reason = this.#insert(document);
          if (reason !== undefined) refused.push({ id: document.id, reason });
        }
      })();
      return refused;
    });
  }

  /** By a connection of its own: this one sees the pages that it remembers, not those in the file. */
  #quickCheck(): unknown {
    const database = new Sqlite(this.#file, { readonly: true });
    try {
      return database.pragma('quick_check(1)', { simple: true });
    } finally {
      database.close();
    }
  }

  #guarded<T>(use: () => T): T {
    try {
      return use();
    } catch (error) {
      // Those that the failed batch added were taken back with it.
      this.#fields.clear();
      if (isDamaged(error)) this.#startAnew(`damaged: ${error.message}`);
      const text = error instanceof Error ? error.message : String(error);
      throw new SearchUnavailableError(`the search index cannot be written: ${text}`, { cause: error });
    }
  }

  close(): void {
    this.#database?.close();
    this.#database = undefined;
    this.#statements = undefined;
  }

  /** A deleted file would go on to be written without anyone who could read it, and one that was cut off damaged further. */
  #current(): Database {
    const { ino, size } = existsSync(this.#file) ? statSync(this.#file) : { ino: 0, size: 0 };
    if (this.#database && ino === this.#inode) {
      if (size < this.#size) this.#startAnew('damaged: the index file was cut off');
      else this.#size = size;
    }
    if (this.#database && ino === this.#inode) return this.#database;
    const lost = this.#database !== undefined;
    this.close();
    const database = this.#openFile();
    if (lost) this.#onLost('the index file was removed');
    return database;
  }

  #openFile(): Database {
    mkdirSync(dirname(this.#file), { recursive: true });
    try {
      return this.#prepare(new Sqlite(this.#file));
    } catch (error) {
      if (!isDamaged(error)) throw error;
      this.#startAnew(`damaged: ${error.message}`);
      return this.#prepare(new Sqlite(this.#file));
    }
  }

  #prepare(database: Database): Database {
    database.pragma('journal_mode = WAL');
    database.pragma('synchronous = FULL');
    database.pragma('busy_timeout = 5000');
    database.pragma('cache_size = -65536');
    this.#isNew = createSchema(database);
    this.#database = database;
    const { ino, size } = statSync(this.#file);
    [this.#inode, this.#size] = [ino, size];
    this.#fields = new Map();
    this.#statements = {
      document: database.prepare(
        `insert or ignore into document (id, sender, channel, channel_id, channel_type, topic, payload_type, ts, expires, ord, locator)
         values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
      ),
      move: database.prepare('update document set locator = ? where id = ? and locator <> ?'),
      audience: database.prepare('insert or ignore into audience values (?, ?, ?)'),
      text: database.prepare('insert into text (rowid, content, ext) values (?, ?, ?)'),
      addField: database.prepare('insert or ignore into field (name) values (?)'),
      fieldId: database.prepare('select id from field where name = ?').pluck(),
    };
    return database;
  }

  #startAnew(reason: string): void {
    try {
      this.close();
    } catch {
      // A damaged file may refuse to close; it is moved out of the way in any case.
    }
    for (const suffix of ['', '-wal', '-shm']) {
      if (!existsSync(this.#file + suffix)) continue;
      if (suffix === '') renameSync(this.#file, `${this.#file}.damaged`);
      else rmSync(this.#file + suffix);
    }
    this.#onLost(reason);
  }

  /**
   * Adds one document; the same id means the same document, so a repeat changes nothing but its place, which is another
   * one where Redis lost its last moments.
   */
  #insert(document: SearchDocument): string | undefined {
    if (!this.#statements) throw new Error('the index is not open');
    if (document.audience.length === 0) return 'the document has no audience';
    const { changes, lastInsertRowid } = this.#statements.document.run(
      document.id,
      keyBytes(document.from),
      keyBytes(document.channel),
      keyBytes(document.channelId),
      document.channelType,
      keyBytes(document.topic),
      document.payloadType ?? null,
      document.timestamp,
      document.expiresAt,
      document.order,
      document.locator,
    );
    if (changes === 0) {
      this.#statements.move.run(document.locator, document.id, document.locator);
      return undefined;
    }
    const n = lastInsertRowid;
    document.audience.forEach((key, position) => {
      if (key !== '') this.#statements?.audience.run(keyBytes(key), n, position);
    });
    const { [CONTENT_FIELD]: content = '', ...others } = document.text;
    const ext = Object.entries(others).flatMap(([name, text]) => {
      const id = this.#fieldId(name);
      return tokensOf(text).map((token) => `${id}_${token.text}`);
    });
    this.#statements.text.run(n, tokensOf(content).map(textOf).join(' '), ext.join(' '));
    return undefined;
  }

  #fieldId(name: string): number {
    const known = this.#fields.get(name);
    if (known !== undefined) return known;
    this.#statements?.addField.run(name);
    const id = Number(this.#statements?.fieldId.get(name));
    this.#fields.set(name, id);
    return id;
  }
}

const textOf = ({ text }: Token) => text;
