import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import {
  accessKey,
  createEmbeddedEngine,
  createMeilisearchEngine,
  type SearchDocument,
  type SearchEngine,
} from '@ruyi/search';
import { type Random, seededRandom, tempDir } from '@ruyi/testkit';
import { withProgress } from '../progress.ts';
import { type Line, printLine } from '../report.ts';
import type { Scale } from '../scale.ts';
import { quantile, summarize } from '../statistics.ts';
import { timed } from '../system.ts';
import { openPlainTable, type PlainTable } from './plainTable.ts';

const GROUPS = 1000;
const USERS = 5000;
const DOCUMENTS_AT_ONCE = 2000;
const RARE = '独角兽';
const COMMON = '北京';
const WORDS =
  '今天 明天 上海 消息 会议 火锅 项目 电影 老师 学生 手机 电脑 朋友 工作 天气 音乐 旅行 晚饭 hello meeting report'.split(
    ' ',
  );
/** The most milliseconds that 99 of 100 searches may take at 100,000 messages. */
const P99_GOAL = 50;

const groupKeys = Array.from({ length: GROUPS }, (_, n) => accessKey('channel', `2:g${n}`));
const groupIds = Array.from({ length: GROUPS }, (_, n) => accessKey('channel_id', `g${n}`));
const userKeys = Array.from({ length: USERS }, (_, n) => accessKey('uid', `u${n}`));
const at = (keys: string[], i: number) => keys[i % keys.length] ?? '';

function* corpus(count: number, random: Random): Generator<SearchDocument & { content: string }> {
  for (let i = 0; i < count; i++) {
    const words = Array.from({ length: random.whole(4, 24) }, () => random.pick(WORDS as [string, ...string[]]));
    if (i % 3 === 0) words[1] = COMMON;
    if (i % Math.ceil(count / 10) === 7) words[2] = RARE;
    const content = words.join('');
    const [sender, channel] = [at(userKeys, i), at(groupKeys, i)];
    yield {
      id: `m${i}`,
      audience: [channel, sender],
      from: sender,
      channel,
      channelId: at(groupIds, i),
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

/** `least`: how many times as fast as a scan by LIKE over a plain table it must be; 0 if there is no goal. */
const QUESTIONS = [
  { what: 'rare word, 1,000 groups', text: RARE, groups: 1000, least: 50 },
  { what: 'common word, 10 groups', text: COMMON, groups: 10, least: 3 },
  { what: 'common word, 1,000 groups', text: COMMON, groups: 1000, least: 2 },
  { what: 'beginning of a word, 1,000 groups', text: 'hel', groups: 1000, least: 0 },
  { what: 'no text, 10 groups', text: '', groups: 10, least: 0 },
  { what: 'no text, 1,000 groups', text: '', groups: 1000, least: 0 },
];

/**
 * Indexing and searching, compared with a plain table that is scanned with LIKE; on Meilisearch too if MEILI_URL is set.
 * Searches are measured at the interface through which the API searches. Each line is printed as soon as it is measured.
 */
export async function search(scale: Scale): Promise<Line[]> {
  const lines: Line[] = [];
  const tell = (line: Line) => {
    printLine(line);
    lines.push(line);
  };
  for (const count of scale.tiny ? [2000] : [100_000, 1_000_000]) {
    const folder = tempDir('bench-search');
    const table = openPlainTable(join(folder.path, 'scan.sqlite'));
    try {
      const scanSeconds = await timed(async () => table.fill(corpus(count, seededRandom(7))));
      for (const engine of engines(join(folder.path, 'index'))) {
        await engine.writer.prepare();
        const seconds = await timed(() =>
          indexAll(engine.writer, withProgress(`${engine.name}: indexing`, corpus(count, seededRandom(7)), count)),
        );
        tell(indexingLine(engine, count, seconds, scanSeconds, table.bytes()));
        for (const question of QUESTIONS) {
          for (const line of await measure(engine, question, table, count, scale)) tell(line);
        }
        await engine.writer.close();
        await engine.reader.close();
      }
    } finally {
      table.close();
      folder.remove();
    }
  }
  return lines;
}

interface Measured {
  name: string;
  writer: SearchEngine;
  reader: SearchEngine;
  /** the folder of its files; '' if it has none here */
  directory: string;
}

/** The two sides take turns, so that everything else on the machine affects both. */
async function measure(
  engine: Measured,
  { what, text, groups, least }: (typeof QUESTIONS)[number],
  table: PlainTable,
  count: number,
  scale: Scale,
): Promise<Line[]> {
  const channels = groupKeys.slice(0, groups);
  const query = {
    text: text === '' ? {} : { content: text },
    audience: [at(userKeys, 1), ...channels],
    payloadTypes: [],
    startTime: 0,
    endTime: 0,
    now: 1,
    offset: 0,
    limit: 20,
    locate: [at(userKeys, 1)],
  };
  const [ours, theirs]: number[][] = [[], []];
  for (let round = 0; round < (scale.tiny ? 2 : 10); round++) {
    for (let i = 0; i < (scale.tiny ? 2 : 10); i++) ours?.push(await milliseconds(() => engine.reader.search(query)));
    theirs?.push(await milliseconds(async () => table.scan(channels, text)));
  }
  const [p50, p99, like] = [quantile(ours ?? [], 0.5), quantile(ours ?? [], 0.99), quantile(theirs ?? [], 0.5)];
  const ratio = like / p50;
  const name = `${engine.name}: ${what}, ${count} messages`;
  const lines: Line[] = [
    {
      what: name,
      goal: least === 0 ? 'none; × of a scan' : `≥ ${least} × of a scan`,
      value: summarize([ratio]),
      unit: '×',
      met: ratio >= least,
      details: { 'p50 ms': p50, 'p99 ms': p99, 'LIKE p50 ms': like },
    },
  ];
  if (count <= 100_000) {
    const goal = `p99 < ${P99_GOAL} ms`;
    lines.push({ what: `${name}, p99`, goal, value: summarize([p99]), unit: 'ms', met: p99 < P99_GOAL, details: {} });
  }
  return lines;
}

const milliseconds = async (call: () => Promise<unknown>): Promise<number> => 1000 * (await timed(call));

function engines(directory: string): Measured[] {
  const embedded = (role: 'writer' | 'reader') => createEmbeddedEngine({ directory, role });
  const found: Measured[] = [{ name: 'embedded', writer: embedded('writer'), reader: embedded('reader'), directory }];
  const { MEILI_URL: url = '', MEILI_API_KEY: apiKey = '' } = process.env;
  if (url === '') return found;
  const indexName = `bench_${Date.now()}`;
  const meilisearch = (role: 'writer' | 'reader') => createMeilisearchEngine({ url, apiKey, role, indexName });
  return [
    ...found,
    { name: 'Meilisearch', writer: meilisearch('writer'), reader: meilisearch('reader'), directory: '' },
  ];
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

/** There is no goal for indexing, because a plain table only stores rows. */
function indexingLine(engine: Measured, count: number, seconds: number, scanSeconds: number, bytes: number): Line {
  const per100k = (total: number) => (total / 1e6) * (100_000 / count);
  return {
    what: `${engine.name}: ${count} documents indexed`,
    goal: 'none; × of a plain table',
    value: summarize([scanSeconds / seconds]),
    unit: '×',
    met: true,
    details: {
      'documents/s': count / seconds,
      'plain inserts/s': count / scanSeconds,
      ...(engine.directory === '' ? {} : { 'MB per 100,000': per100k(bytesIn(engine.directory)) }),
      'plain MB per 100,000': per100k(bytes),
    },
  };
}

const bytesIn = (directory: string) =>
  readdirSync(directory).reduce((sum, name) => sum + statSync(join(directory, name)).size, 0);
