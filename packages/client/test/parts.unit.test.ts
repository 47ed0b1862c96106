import { expect, test } from 'vitest';
import { ndjson } from '../src/ndjson.ts';
import { cutParts } from '../src/parts.ts';
import { textPayload } from '../src/payload.ts';

async function all<T>(items: AsyncIterable<T>): Promise<T[]> {
  const collected: T[] = [];
  for await (const item of items) collected.push(item);
  return collected;
}
const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);

test('recipients are cut into parts of a size, from arrays and from async iterables alike', async () => {
  async function* slowly() {
    yield* ['a', 'b', '张三', 'd', 'e'];
  }
  for (const uids of [['a', 'b', '张三', 'd', 'e'], slowly()]) {
    const parts = await all(cutParts(uids, 2));
    expect(parts.map(({ part, uids: count, lines }) => [part, count, text(lines)])).toEqual([
      [0, 2, 'a\nb\n'],
      [1, 2, '张三\nd\n'],
      [2, 1, 'e\n'],
    ]);
  }
});

test('what a line cannot hold is written as JSON, so that each element stays one line', async () => {
  const [part] = await all(cutParts(['', 'a\nb', '"q"', 'c\r', ' d'], 10));
  expect(text(part?.lines ?? new Uint8Array())).toBe('""\n"a\\nb"\n"\\"q\\""\n"c\\r"\n d\n');
});

test('lines of JSON are read however the stream is cut', async () => {
  const bytes = new TextEncoder().encode('{"uid":"张三"}\n{"uid":"b"}\n\n{"uid":"c"}');
  for (let size = 1; size <= bytes.length; size++) {
    const stream = new ReadableStream<Uint8Array>({
      start(controller) {
        for (let from = 0; from < bytes.length; from += size) controller.enqueue(bytes.subarray(from, from + size));
        controller.close();
      },
    });
    const read: unknown[] = await all(ndjson(stream));
    expect(read).toEqual([{ uid: '张三' }, { uid: 'b' }, { uid: 'c' }]);
  }
});

test('a payload is base64 of any text or object, of any size', () => {
  for (const content of ['a', '你好 🙂', 'x'.repeat(300_000)]) {
    expect(Buffer.from(textPayload(content), 'base64').toString()).toBe(content);
  }
  expect(Buffer.from(textPayload({ type: 1 }), 'base64').toString()).toBe('{"type":1}');
});
