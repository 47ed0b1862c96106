import { describe, expect, test } from 'vitest';
import { apiClient, base64, group, startApi, testSystem } from './harness.ts';
import { contents, searching } from './searching.ts';

const system = testSystem(['worker', 'indexer']);
const { search, userWhoReads } = searching(system);

describe('what text finds', () => {
  const texts = ['你是北京大学的吗', 'Hello World', 'ｆｕｌｌ　ｗｉｄｔｈ', '版本2.0发布', 'wonderful', '<b>bold</b>'];
  test.each([
    ['京', [0]],
    ['京大', [0]],
    ['你是北京大学的吗', [0]],
    ['北大', []],
    ['hello', [1]],
    ['HELLO world', [1]],
    ['world hello', [1]],
    ['hello wor', [1]],
    ['hel world', []],
    ['hello moon', []],
    ['full', [2]],
    ['ＨＥＬＬＯ', [1]],
    ['wonder', [4]],
    ['onderful', []],
    ['版本 发布', [3]],
    ['版本2', [3]],
    ['发版', []],
    ['bold', [5]],
    ['?!', []],
    ['。', []],
    ['北京 hello', []],
  ] as const)('%s', async (query, expected) => {
    const { uid } = await userWhoReads(...texts);
    const found = await search(uid, query);
    expect(contents(found)).toEqual(expected.map((i) => texts[i]));
    expect(found.total).toBe(expected.length);
  });

  test('blank text is none: everything, the newest first', async () => {
    const { uid } = await userWhoReads('one', 'two', 'three');
    for (const content of [undefined, '', '  ']) {
      expect(contents(await search(uid, content))).toEqual(['three', 'two', 'one']);
    }
  });

  test('a field named __proto__ is a field like any other', async () => {
    const { uid, room } = await userWhoReads('one');
    await system.store({ ...group(room), payload: base64('{"__proto__":"two"}') });
    const total = async (text: string) => {
      const body = `{"uid":"${uid}","payload":{"__proto__":${text}}}`;
      const answer = await system.post<{ total?: number }>('/plugins/wk.plugin.search/usersearch', body);
      return [answer.status, answer.body.total];
    };
    expect(await total('"one"')).toEqual([200, 0]);
    expect(await total('"two"')).toEqual([200, 1]);
    expect(await total('5')).toEqual([400, undefined]);
  });

  test('fields are ORed, all else is ANDed', async () => {
    const { uid, room } = await userWhoReads();
    await system.send({ ...group(room), payload: base64({ type: 1, content: 'apple', title: 'x' }) });
    await system.send({ ...group(room), payload: base64({ type: 2, content: 'x', title: 'pear' }) });
    await system.store({ ...group(room), payload: base64({ type: 3, content: 'pear', title: 'apple' }) });
    const types = async (more: object) =>
      (await system.search({ uid, ...more })).messages.map(({ payload }) => Object(payload).type).sort();
    expect(await types({ payload: { content: 'apple', title: 'pear', more: ' ' } })).toEqual([1, 2]);
    expect(await types({ payload: { content: 'apple', title: 'pear' }, payload_types: [2, 3] })).toEqual([2]);
    expect(await types({ payload: { title: 'apple' } })).toEqual([3]);
    expect(await types({ payload: { unheard: 'apple' } })).toEqual([]);
    expect(await types({ payload_types: [3, 1] })).toEqual([1, 3]);
  });
});

describe('the payload', () => {
  test('that is no JSON object is found by filters and shown as {}', async () => {
    const { uid, room } = await userWhoReads();
    for (const payload of ['plain text', '["text"]', '"text"', '{"content":']) {
      await system.send({ ...group(room), payload: base64(payload), topic: 'odd' });
    }
    await system.settled();
    const found = await search(uid, undefined, { topic: 'odd' });
    expect([found.total, found.messages.map(({ payload }) => payload)]).toEqual([4, [{}, {}, {}, {}]]);
    expect((await search(uid, 'text')).total).toBe(0);
  });

  test('is marked where it is asked for, every hit, and not escaped', async () => {
    const { uid, room } = await userWhoReads();
    const payload = { content: 'Go <b>go</b> gone', title: 'go', count: 5 };
    await system.store({ ...group(room), payload: base64(payload) });
    const shown = async (highlights: string[]) =>
      (await system.search({ uid, payload: { content: 'go', title: 'go' }, highlights })).messages[0]?.payload;
    expect(await shown(['payload.content', 'payload.count', 'payload.none', 'content'])).toEqual({
      ...payload,
      content: '<mark>Go</mark> <b><mark>go</mark></b> <mark>go</mark>ne',
    });
    expect(await shown(['payload.title'])).toEqual({ ...payload, title: '<mark>go</mark>' });
    expect(await shown([])).toEqual(payload);
  });

  test('is base64 with SEARCH_PAYLOAD=base64: the original bytes, with the marks in their place', async () => {
    const { uid, room } = await userWhoReads();
    const original = base64('{ "content" : "北京" }');
    await system.store({ ...group(room), payload: original });
    const { process, address } = await startApi({ ...system.config, SEARCH_PAYLOAD: 'base64' });
    const asked = { uid, payload: { content: '北京' } };
    const payloads = async (more: object) =>
      (await apiClient(address).search({ ...asked, ...more })).messages.map(({ payload }) => payload);
    expect(await payloads({})).toEqual([original]);
    expect(await payloads({ highlights: ['payload.content'] })).toEqual([
      base64('{ "content" : "<mark>北京</mark>" }'),
    ]);
    expect(await process.kill('SIGTERM')).toEqual({ code: 0, signal: null });
  });
});
