import { PassThrough, Readable } from 'node:stream';
import { seededRandom } from '@ruyi/testkit';
import { expect, test } from 'vitest';
import { readLines, writeLines } from '../src/commands/transfer/lineStream.ts';

const listOf = async <T>(items: AsyncIterable<T>): Promise<T[]> => {
  const list: T[] = [];
  for await (const item of items) list.push(item);
  return list;
};

test('what is written in lines is read in lines, wherever the stream is cut', async () => {
  const random = seededRandom();
  const values = Array.from({ length: 200 }, (_, i) => ({ i, text: '北京 é 😀 "\n'.repeat(random.whole(0, 50)) }));
  const stream = new PassThrough();
  const written = listOf(stream);
  await writeLines(Readable.from(values), stream);
  stream.end();
  const bytes = Buffer.concat(await written);
  const chunks: Buffer[] = [];
  for (let at = 0; at < bytes.length; ) {
    const size = random.whole(1, 300);
    chunks.push(bytes.subarray(at, at + size));
    at += size;
  }
  expect(
    (await listOf(readLines(Readable.from(chunks, { objectMode: false })))).map((line) => JSON.parse(line)),
  ).toEqual(values);
});

test('a last line without an end counts, and an empty stream has none', async () => {
  expect(await listOf(readLines(Readable.from([Buffer.from('a\n\nb')])))).toEqual(['a', '', 'b']);
  expect(await listOf(readLines(Readable.from([])))).toEqual([]);
});

test('a reader that is slow is waited for, so no more than a little is in memory', async () => {
  const line = 'x'.repeat(10_000);
  let ahead = 0;
  let most = 0;
  async function* values() {
    for (let i = 0; i < 1000; i++) {
      ahead += line.length;
      most = Math.max(most, ahead);
      yield line;
    }
  }
  const stream = new PassThrough({ highWaterMark: 16 * 1024 });
  const writing = writeLines(values(), stream).then(() => stream.end());
  for await (const chunk of stream) ahead -= Buffer.from(chunk).length;
  await writing;
  expect(most).toBeLessThan(500_000);
});

test('an error of the stream ends the writing', async () => {
  const stream = new PassThrough({ highWaterMark: 1024 });
  const writing = writeLines(Readable.from(Array.from({ length: 100 }, () => 'x'.repeat(10_000))), stream);
  stream.destroy(new Error('disk full'));
  await expect(writing).rejects.toThrow('disk full');
});
