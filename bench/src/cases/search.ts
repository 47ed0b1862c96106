import { join } from 'node:path';
import {
  accessKey,
  createEmbeddedEngine,
  createMeilisearchEngine,
  type SearchDocument,
  type SearchEngine,
} from '@ruyi/search';
import { type Random, seededRandom, tempDir } from '@ruyi/testkit';
import Sqlite from 'better-sqlite3';
import type { Line } from '../report.ts';
import { quantile, summarize } from '../statistics.ts';
import { timed } from '../system.ts';
import type { Scale } from './index.ts';

const GROUPS = 1000;
const DOCUMENTS_AT_ONCE = 2000;
const RARE = '独角兽';
const COMMON = '北京';
const WORDS =
  '今天 明天 上海 消息 会议 火锅 项目 电影 老师 学生 手机 电脑 朋友 工作 天气 音乐 旅行 晚饭 hello meeting report'.split(
    ' ',
  );

const group = (n: number) => accessKey('channel', `2:g${n}`);

function* corpus(count: number, random: Random): Generator<SearchDocument & { content: string }> {
  for (let i = 0; i < count; i++) {
    const words = Array.from({ length: random.whole(4, 24) }, () => random.pick(WORDS as [string, ...string[]]));
    if (i % 3 === 0) words[1] = COMMON;
    if (i % Math.ceil(count / 10) === 7) words[2] = RARE;
    const content = words.join('');
    const sender = accessKey('uid', `u${i % 5000}`);
    const channel = group(i % GROUPS);
    yield {
      id: `m${i}`,
      audience: [channel, sender],
      from: sender,
      channel,
      channelId: accessKey('channel_id', `g${i % GROUPS}`),
      channelType: 2,
      topic: '',
      payloadType: 1,
      timestamp: 1_700_000_000 + i,
      expiresAt: 0,
      order: i,
      text: { content },
      locator: '{}',
      content,
    };
  }
}

const QUESTIONS = [
  { what: 'rare word, 1,000 groups', text: RARE, groups: 1000 },
  { what: 'common word, 10 groups', text: COMMON, groups: 10 },
  { what: 'common word, 1,000 groups', text: COMMON, groups: 1000 },
];

/** Milliseconds of each of `times` calls. */
async function latencies(times: number, call: () => Promise<unknown> | unknown): Promise<number[]> {
  const all: number[] = [];
  for (let i = 0; i < times; i++) all.push(1000 * (await timed(async () => call())));
  return all;
}

/** Indexing and searching beside a plain table that is scanned with LIKE; on Meilisearch too where MEILI_URL is set. */
export async function search(scale: Scale): Promise<Line[]> {
  const lines: Line[] = [];
  for (const count of scale.tiny ? [2000] : [100_000, 1_000_000]) {
    const folder = tempDir('bench-search');
    const scan = new Sqlite(join(folder.path, 'scan.sqlite'));
    scan.pragma('journal_mode = WAL');
    scan.exec('create table message (id text primary key, channel text, ts integer, content text)');
    const insert = scan.prepare('insert into message values (?, ?, ?, ?)');
    const like = scan.prepare(
      'select id from message where channel in (select value from json_each(?)) and content like ? order by ts desc limit 20',
    );
    const count20 = scan.prepare(
      'select count(*) from message where channel in (select value from json_each(?)) and content like ?',
    );
    try {
      const scanSeconds = await timed(async () => {
        const documents = corpus(count, seededRandom(7));
        const addAll = scan.transaction(() => {
          for (const { id, channel, timestamp, content } of documents) insert.run(id, channel, timestamp, content);
        });
        addAll();
      });
      for (const engine of engines(join(folder.path, 'index'))) {
        await engine.writer.prepare();
        const seconds = await timed(() => indexAll(engine.writer, corpus(count, seededRandom(7))));
        lines.push(
          line(`${engine.name}: ${count} documents indexed`, scanSeconds / seconds, {
            'documents/s': count / seconds,
            'plain inserts/s': count / scanSeconds,
          }),
        );
        for (const { what, text, groups } of QUESTIONS) {
          const audience = Array.from({ length: groups }, (_, n) => group(n));
          const query = { text: { content: text }, audience, payloadTypes: [], startTime: 0, endTime: 0 };
          const times = scale.tiny ? 3 : 50;
          const ours = await latencies(times, () =>
            engine.reader.search({ ...query, now: 1, offset: 0, limit: 20, locate: [] }),
          );
          const keys = JSON.stringify(audience);
          const theirs = await latencies(scale.tiny ? 3 : 10, () => [
            like.all(keys, `%${text}%`),
            count20.get(keys, `%${text}%`),
          ]);
          lines.push(
            line(`${engine.name}: ${what}, ${count} messages`, quantile(theirs, 0.5) / quantile(ours, 0.5), {
              'p50 ms': quantile(ours, 0.5),
              'p99 ms': quantile(ours, 0.99),
              'LIKE p50 ms': quantile(theirs, 0.5),
            }),
          );
        }
        await engine.writer.close();
        await engine.reader.close();
      }
    } finally {
      scan.close();
      folder.remove();
    }
  }
  return lines;
}

function engines(directory: string): { name: string; writer: SearchEngine; reader: SearchEngine }[] {
  const embedded = (role: 'writer' | 'reader') => createEmbeddedEngine({ directory, role });
  const found = [{ name: 'embedded', writer: embedded('writer'), reader: embedded('reader') }];
  const { MEILI_URL: url = '', MEILI_API_KEY: apiKey = '' } = process.env;
  if (url === '') return found;
  const indexName = `bench_${Date.now()}`;
  const meilisearch = (role: 'writer' | 'reader') => createMeilisearchEngine({ url, apiKey, role, indexName });
  return [...found, { name: 'Meilisearch', writer: meilisearch('writer'), reader: meilisearch('reader') }];
}

async function indexAll(engine: SearchEngine, documents: Iterable<SearchDocument>): Promise<void> {
  let batch: SearchDocument[] = [];
  for (const document of documents) {
    batch.push(document);
    if (batch.length < DOCUMENTS_AT_ONCE) continue;
    await engine.index(batch);
    batch = [];
  }
  await engine.index(batch);
}

/** No goal is set for search; the plain table is what it has to beat, except in writing. */
function line(what: string, ratio: number, details: Line['details']): Line {
  return { what, goal: 'none; × of a plain table', value: summarize([ratio]), unit: '×', met: true, details };
}
