import { Chunk, MessageBody, SendItem } from '@ruyi/contracts';
import { BROADCAST, DEAD, GROUP_COMMAND, INDEX, SEND } from '@ruyi/queue';
import fc, { type Arbitrary } from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { z } from 'zod';

interface Kind {
  name: string;
  schema: z.ZodObject;
  required: Record<string, Arbitrary<unknown>>;
  optional: Record<string, Arbitrary<unknown>>;
}

const text = fc.string({ unit: 'grapheme', maxLength: 12 });
const small = fc.nat(255);
const seqs = fc.array(fc.nat(2 ** 32 - 1), { maxLength: 5 });
const one = fc.constant(1);

const body = {
  required: { id: fc.maxSafeNat(), ts: fc.nat(), from: text, payload: fc.base64String(), no: text },
  optional: { red: small, set: small, exp: fc.nat(), topic: text, stream: text },
};
const item = {
  required: { ...body.required, ch: text },
  optional: { ...body.optional, cmd: one, inboxes: fc.array(text), idem: text, digest: text, wait: text },
};
const chunk = { required: { chunk: fc.nat(), start: fc.nat(), uids: text }, optional: { at: fc.array(fc.nat()) } };

const recordOf = ({ required, optional }: Pick<Kind, 'required' | 'optional'>) =>
  fc.record({ ...required, ...optional }, { requiredKeys: Object.keys(required) });
const chunks = fc.array(recordOf(chunk), { maxLength: 3 });
const letter = fc.record({ id: text, tries: fc.nat(), firstAt: fc.nat() });
const problem = {
  required: { code: text, reason: text, count: fc.nat() },
  optional: { place: fc.constantFrom('log', 'seq', 'in', 'inseq'), key: text, found: text },
};

const KINDS: Kind[] = [
  { name: 'message body', schema: MessageBody, ...body },
  { name: 'send item', schema: SendItem, ...item },
  { name: 'chunk', schema: Chunk, ...chunk },
  {
    name: 'send job',
    schema: SEND.schema,
    required: { items: fc.array(recordOf(item), { maxLength: 4 }) },
    optional: { letter },
  },
  {
    name: 'broadcast job',
    schema: BROADCAST.schema,
    required: { ref: text, from: text, chunks },
    optional: { no: text, cmd: one, letter },
  },
  {
    name: 'group command job',
    schema: GROUP_COMMAND.schema,
    required: { ref: text, ch: text },
    optional: { idem: text, digest: text, letter },
  },
  {
    name: 'index job',
    schema: INDEX.schema,
    required: {},
    optional: { logs: fc.array(fc.record({ ch: text, seqs })), broadcast: fc.record({ ref: text, chunks }), letter },
  },
  {
    name: 'dead job',
    schema: DEAD.schema,
    required: { queue: text, name: text, reason: text },
    optional: {
      ...{ data: fc.jsonValue({ maxDepth: 2 }), raw: text, tries: fc.nat(), firstAt: fc.nat(), lastAt: fc.nat() },
      problems: fc.array(recordOf(problem), { maxLength: 3 }),
    },
  },
];

/** What a queue does to a job's data. */
const throughQueue = (data: unknown): unknown => JSON.parse(JSON.stringify(data));

describe.each(KINDS)('a $name', ({ schema, required, optional }) => {
  test('comes out of its queue as it went in, with whatever it may hold', () => {
    expect(Object.keys(schema.shape).sort()).toEqual([...Object.keys(required), ...Object.keys(optional)].sort());
    fc.assert(
      fc.property(recordOf({ required, optional }), (job) => {
        expect(schema.parse(throughQueue(job))).toEqual(throughQueue(job));
      }),
    );
  });

  test('is refused without a field that it needs, and with one of another type', () => {
    const [whole = {}] = fc.sample(fc.record({ ...required, ...optional }), { numRuns: 1, seed: 1 });
    expect(schema.safeParse(whole).success).toBe(true);
    for (const field of Object.keys(required)) {
      const { [field]: _, ...rest } = whole;
      for (const broken of [rest, { ...rest, [field]: null }]) expect(schema.safeParse(broken).success).toBe(false);
    }
    for (const field of Object.keys(whole).filter((name) => name !== 'data')) {
      expect(schema.safeParse({ ...whole, [field]: true }).success).toBe(false);
    }
    for (const nothing of [null, undefined, 'text', 7, []]) expect(schema.safeParse(nothing).success).toBe(false);
  });
});

test('a job is refused for one broken item among good ones', () => {
  const good = { id: 1, ts: 1, from: 'a', payload: 'QQ==', no: 'n', ch: '2:r' };
  const { id: _, ...broken } = good;
  expect(SEND.schema.safeParse({ items: [good, good] }).success).toBe(true);
  expect(SEND.schema.safeParse({ items: [good, broken] }).success).toBe(false);
  const part = { chunk: 0, start: 0, uids: 'a' };
  expect(BROADCAST.schema.safeParse({ ref: 'r', from: 'a', chunks: [part, { ...part, uids: ['a'] }] }).success).toBe(
    false,
  );
});

test('ids up to 2^53-1 lose no digit', () => {
  const job = { items: [{ id: Number.MAX_SAFE_INTEGER, ts: 1, from: 'a', payload: 'QQ==', no: '', ch: '2:r' }] };
  expect(SEND.schema.parse(throughQueue(job)).items[0]?.id).toBe(9_007_199_254_740_991);
});
