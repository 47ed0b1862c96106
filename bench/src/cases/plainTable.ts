import { statSync } from 'node:fs';
import type { SearchDocument } from '@ruyi/search';
import Sqlite from 'better-sqlite3';

/** Searching without a search engine: one table, and LIKE. */
export interface PlainTable {
  fill(documents: Iterable<SearchDocument & { content: string }>): void;
  /** The newest 20 and the total. @param text '' matches all */
  scan(channels: string[], text: string): void;
  bytes(): number;
  close(): void;
}

export function openPlainTable(file: string): PlainTable {
  const database = new Sqlite(file);
  database.pragma('journal_mode = WAL');
  database.exec('create table message (id text primary key, channel text, ts integer, content text)');
  const insert = database.prepare('insert into message values (?, ?, ?, ?)');
  const where = 'from message where channel in (select value from json_each(?)) and content like ?';
  const page = database.prepare(`select id ${where} order by ts desc limit 20`);
  const total = database.prepare(`select count(*) ${where}`);
  return {
    fill(documents) {
      database.transaction(() => {
        for (const { id, channel, timestamp, content } of documents) insert.run(id, channel, timestamp, content);
      })();
    },
    scan(channels, text) {
      const keys = JSON.stringify(channels);
      page.all(keys, `%${text}%`);
      total.get(keys, `%${text}%`);
    },
    bytes: () => statSync(file).size,
    close: () => database.close(),
  };
}
