import { checkInstallation, newMember, SCHEMA } from '@ruyi/store';
import { seededRandom } from '@ruyi/testkit';
import { expect, test } from 'vitest';
import { LIMITS } from './harness.ts';
import { contents, exported, from, imported, redis, seedData, startServers, target } from './transferHarness.ts';

startServers();
const SETTINGS = { shards: LIMITS.shards.count };

test('an export that is cut short is refused wherever that is, and an interrupted import goes on', async () => {
  await seedData();
  const random = seededRandom();
  const lines = await exported();
  const before = await contents(redis.client);
  for (let i = 0; i < 8; i++) {
    const cut = random.whole(1, lines.length - 1);
    await expect(imported(from(lines.slice(0, cut)))).rejects.toThrow(`the export is cut short after line ${cut}`);
    // No process starts on half an import.
    const start = checkInstallation(target, SETTINGS, newMember('api', 8));
    await expect(start).rejects.toThrow('an import into this Redis is unfinished: run the same ruyi import again');
  }
  expect(await imported(from(lines))).toMatchObject({ continued: true });
  expect(await contents(target)).toEqual(before);
  await checkInstallation(target, SETTINGS, newMember('api', 8));
});

test('a line that was lost in the middle is noticed, and another export is not mixed in', async () => {
  await seedData();
  const lines = await exported();
  await expect(imported(from(lines.toSpliced(20, 1)))).rejects.toThrow(
    /^the export has \d+ lines of kind \w+ and says that it has \d+/,
  );
  await expect(imported(from(await exported()))).rejects.toThrow('an import of another export is unfinished here');
});

test('a broken line is named by its number', async () => {
  await seedData();
  const lines = await exported();
  const broken = (text: string) => imported(from([...lines.slice(0, 30), text, ...lines.slice(30)]));
  await expect(broken('{"kind":"mess')).rejects.toThrow('line 31: it is no JSON');
  await expect(broken('{"kind":"entry","channel":"2:x","seq":0,"body":"1","position":0}')).rejects.toThrow(
    /^line 31: seq: /,
  );
  await expect(broken('{"kind":"anything"}')).rejects.toThrow(/^line 31: /);
  await expect(broken('')).rejects.toThrow('line 31: it is no JSON');
});

test('an export of a later format or schema is refused before anything is written', async () => {
  await seedData();
  const [first = '', ...rest] = await exported();
  const later = (fields: object) => from([JSON.stringify({ ...JSON.parse(first), ...fields }), ...rest]);
  await expect(imported(later({ format: 2, version: '9.0.0' }))).rejects.toThrow(
    'the export has format 2 (made by version 9.0.0)',
  );
  await expect(imported(later({ schema: SCHEMA + 1 }))).rejects.toThrow(`the export has schema ${SCHEMA + 1}`);
  expect(await target.dbsize()).toBe(0);
});

test('data, jobs, or another number of shards in the target are refused, and leave no mark behind', async () => {
  await seedData();
  const lines = await exported();
  await expect(imported(from(lines), { client: redis.client })).rejects.toThrow('this Redis holds data already (r:{');
  await expect(imported(from(lines), { hasJobs: true })).rejects.toThrow('jobs wait on the queues of this Redis');
  await expect(imported(from(lines), { shards: 5 })).rejects.toThrow(
    'SHARDS=5: this Redis belongs to an installation with SHARDS=4',
  );
  for (const client of [redis.client, target]) await checkInstallation(client, SETTINGS, newMember('api', 8));
});
