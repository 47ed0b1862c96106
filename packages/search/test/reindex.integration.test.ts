import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { personal, queryOf, user } from './contract/documents.ts';
import type { EnginePair } from './contract/suite.ts';
import { engines } from './engines.ts';

const messages = (...names: string[]) =>
  names.map((name) => personal(name, 'ann', 'bob', { text: { content: `消息 ${name}` }, order: 1 }));
const QUERY = queryOf({ audience: [user('ann')], text: { content: '消息' } });

describe.each(engines)('a new index of the %s engine', (_, open) => {
  let pair: EnginePair;
  beforeEach(async () => {
    pair = await open();
    await pair.writer.index(messages('old', 'kept'));
  });
  afterEach(() => pair.close());

  const found = async (engine = pair.reader) => (await engine.search(QUERY)).hits.map(({ id }) => id).sort();

  test('is filled beside the serving one, and replaces it atomically', async () => {
    const fresh = await pair.writer.begin(false);
    expect(fresh.resumed).toBe(false);
    expect(await fresh.index(messages('kept', 'again'))).toEqual([]);
    expect(await found()).toEqual(['kept', 'old']);
    await fresh.swap();
    expect(await found()).toEqual(['again', 'kept']);
    expect(await found(pair.writer)).toEqual(['again', 'kept']);
    await pair.writer.index(messages('later'));
    expect(await found()).toEqual(['again', 'kept', 'later']);
  });

  test('gets what is written meanwhile, which the serving one shows at once', async () => {
    const fresh = await pair.writer.begin(false);
    await pair.writer.index(messages('meanwhile'));
    expect(await found()).toEqual(['kept', 'meanwhile', 'old']);
    await fresh.index(messages('meanwhile', 'again'));
    await fresh.swap();
    expect(await found()).toEqual(['again', 'meanwhile']);
  });

  test('is continued if that is asked for, and otherwise begun again', async () => {
    await (await pair.writer.begin(false)).index(messages('half'));
    const resumed = await pair.writer.begin(true);
    expect(resumed.resumed).toBe(true);
    await resumed.index(messages('rest'));
    expect(await found()).toEqual(['kept', 'old']);
    const anew = await pair.writer.begin(false);
    expect(anew.resumed).toBe(false);
    await anew.index(messages('new'));
    await anew.swap();
    expect(await found()).toEqual(['new']);
  });

  test('that was continued contains both parts', async () => {
    await (await pair.writer.begin(false)).index(messages('half'));
    const resumed = await pair.writer.begin(true);
    await resumed.index(messages('rest'));
    await resumed.swap();
    expect(await found()).toEqual(['half', 'rest']);
  });

  test('is begun if there is none to continue, and can be made repeatedly', async () => {
    for (const name of ['first', 'second', 'third']) {
      const fresh = await pair.writer.begin(true);
      expect(fresh.resumed).toBe(false);
      await fresh.index(messages(name));
      await fresh.swap();
      expect(await found()).toEqual([name]);
    }
  });

  test('is swapped in while no search fails or sees neither index', async () => {
    const fresh = await pair.writer.begin(false);
    await fresh.index(messages('new1', 'new2', 'new3'));
    let swapped = false;
    const looking = [1, 2, 3].map(async () => {
      const seen: number[] = [];
      for (let after = 0; after < 5; after += swapped ? 1 : 0) seen.push((await pair.reader.search(QUERY)).total);
      return seen;
    });
    await pair.reader.search(QUERY);
    await fresh.swap();
    swapped = true;
    for (const seen of await Promise.all(looking)) {
      expect(seen.every((total) => total === 2 || total === 3)).toBe(true);
      expect(seen.at(-1)).toBe(3);
    }
  });
});

test('only a writer begins a new index of the embedded engine', async () => {
  const [embedded] = engines;
  const pair = await embedded?.[1]();
  await expect(pair?.reader.begin(false)).rejects.toThrow(/does not write/);
  await pair?.close();
});
