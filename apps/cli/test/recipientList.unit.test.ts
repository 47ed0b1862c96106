import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { seededRandom, tempDir } from '@ruyi/testkit';
import { expect, test } from 'vitest';
import { cutList, inspectList, readBytes } from '../src/commands/broadcast/recipientList.ts';
import { readState, stateFileOf, type UploadState, writeState } from '../src/commands/broadcast/uploadState.ts';

async function partsOf(chunks: Buffer[], partBytes: number, offset = 0) {
  async function* given() {
    yield* chunks;
  }
  const parts = [];
  for await (const { bytes, lines, end } of cutList(given(), partBytes, offset)) {
    parts.push({ text: bytes.toString(), lines, end });
  }
  return parts;
}

test('a list is cut behind lines, into the same parts however it is read', async () => {
  const random = seededRandom();
  for (let round = 0; round < 200; round++) {
    const names = Array.from({ length: random.whole(0, 40) }, (_, i) => `${'张'.repeat(random.whole(0, 5))}${i}`);
    const list = Buffer.from(names.join('\n') + random.pick(['', '\n', '\r\n']));
    const partBytes = random.whole(1, 60);
    const whole = await partsOf([list], partBytes);
    const pieces = [];
    for (let at = 0; at < list.length; ) {
      const to = at + random.whole(1, 20);
      pieces.push(list.subarray(at, to));
      at = to;
    }
    expect(await partsOf(pieces, partBytes)).toEqual(whole);
    expect(whole.map(({ text }) => text).join('')).toBe(list.toString());
    for (const { text } of whole.slice(0, -1)) expect(text.endsWith('\n')).toBe(true);
    const [first] = whole;
    if (first) expect(await partsOf([list.subarray(first.end)], partBytes, first.end)).toEqual(whole.slice(1));
  }
});

test('lines are counted with blank ones and with one that does not end', async () => {
  expect(await partsOf([Buffer.from('a\n\nb')], 100)).toEqual([{ text: 'a\n\nb', lines: 3, end: 4 }]);
  expect(await partsOf([Buffer.from('a\nb\n')], 1)).toEqual([
    { text: 'a\n', lines: 1, end: 2 },
    { text: 'b\n', lines: 1, end: 4 },
  ]);
  expect(await partsOf([], 1)).toEqual([]);
});

test('the hash of a resumed list goes on from where the upload stood; a byte order mark is no part of a uid', async () => {
  const folder = tempDir('list');
  const file = join(folder.path, 'list');
  const text = `\uFEFF${Array.from({ length: 100_000 }, (_, i) => `u${i}\n`).join('')}`;
  writeFileSync(file, text);
  const fresh = await inspectList(file);
  expect(fresh).toMatchObject({ bytes: Buffer.byteLength(text), start: 3 });
  for (const offset of [3, 10, 262_144, 300_000, fresh.bytes]) {
    const { hash, digest } = await inspectList(file, offset);
    for await (const chunk of readBytes(file, offset)) hash.update(chunk);
    expect([digest, hash.digest('hex')]).toEqual([fresh.digest, fresh.digest]);
  }
  writeFileSync(file, '\uFEFF');
  await expect(inspectList(file)).rejects.toThrow(/is empty/);
  await expect(inspectList(folder.path)).rejects.toThrow(/cannot be read \(EISDIR\)/);
  folder.remove();
});

test('the state of an upload is for its owner alone, and a damaged one is said', () => {
  const folder = tempDir('state');
  const list = join(folder.path, 'list');
  const state: UploadState = {
    version: 1,
    list: { bytes: 5, digest: 'd' },
    request: { payload: 'YQ==', client_msg_no: 'key' },
    broadcast_no: 'b1',
    part_bytes: 10,
    parts: 1,
    offset: 3,
    lines: 2,
  };
  expect(readState(list)).toBeUndefined();
  writeState(list, state);
  expect(readState(list)).toEqual(state);
  expect(statSync(stateFileOf(list)).mode & 0o777).toBe(0o600);
  for (const damaged of ['', '{', 'null', '{"version":2}', readFileSync(stateFileOf(list), 'utf8').slice(0, -5)]) {
    writeFileSync(stateFileOf(list), damaged);
    expect(() => readState(list)).toThrow(/is damaged; remove it/);
  }
  folder.remove();
});
