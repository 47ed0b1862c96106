import type { JsonSchema } from '@ruyi/contracts';
import fc from 'fast-check';
import { beforeAll, describe, expect, test } from 'vitest';
import { broadcasting } from './broadcasting.ts';
import { startApi, testSystem } from './harness.ts';
import {
  type OpenApi,
  operationsOf,
  type Published,
  type Validator,
  validatorOf,
  valuesOf,
} from './publishedDocument.ts';

/** Drives every route with what its schema allows, and with what it does not, and holds each answer to the document. */

const SEED = 20_261_127;
const RUNS = 15;

const away = testSystem();
const system = testSystem(['worker', 'indexer']);
const { create, upload, act, ended } = broadcasting(system);

let document: OpenApi;
let validator: Validator;
let operations: Published[];
/** Broadcasts: one that takes recipients, and one that runs as long as this test. */
let open: string;
let slow: string;

beforeAll(async () => {
  document = (await system.get<OpenApi>('/openapi.json')).body;
  validator = validatorOf(document);
  operations = operationsOf(document);
  open = await create();
  slow = await create({ rate: 1 });
  await upload(
    slow,
    0,
    'ann\nbob\n'.repeat(50).replaceAll('\n', (_, at) => `${at}\n`),
  );
  await act(slow, 'start');
});

/** One request, as it goes out. */
interface Shot {
  operation: Published;
  path: string;
  body?: string;
}

/** Numbers of batches and broadcasts that answers told. */
const known = new Set<string>(['0', 'none', '..', '%00']);

/** Rules between fields, which the document tells in words. */
const BETWEEN_FIELDS =
  /^(login_uid: is required for a personal|channel_(id|type): is required|subscribers: give either|header\.no_persist: must be 0|start_at: is more than)/;

function shots(operation: Published, count: number, broken: boolean): Shot[] {
  const { parameters = [], requestBody } = operation;
  const isName = ({ type, enum: choice }: JsonSchema) => type === 'string' && choice === undefined;
  const inPath = fc.record(
    Object.fromEntries(
      parameters
        .filter((one) => one.in === 'path')
        .map(({ name, schema }) => [name, isName(schema) ? fc.constantFrom(...known) : valuesOf(schema, document)]),
    ),
  );
  const query = parameters.filter((one) => one.in === 'query');
  const properties = Object.fromEntries(query.map((one) => [one.name, one.schema]));
  const required = query.filter((one) => one.required).map((one) => one.name);
  const asked = valuesOf({ type: 'object', properties, required }, document);
  const shape = requestBody?.content['application/json']?.schema;
  const body = shape === undefined ? fc.constant(undefined) : valuesOf(shape, document);
  const spoil = (value: fc.Arbitrary<unknown>) => (broken ? value.chain(spoiled) : value);
  const all = fc.tuple(inPath, spoil(asked), spoil(body), fc.array(fc.constantFrom('ann', 'bob', 'a@b', '"x"', '')));
  // One that is asked nothing has nothing to vary.
  const numRuns = parameters.length === 0 && operation.requestBody === undefined ? 1 : count;
  return fc.sample(all, { seed: SEED, numRuns }).map(([names, fields, json, lines]) => ({
    operation,
    path: operation.path.replace(/\{(\w+)\}/g, (_, name) => encodeURIComponent(String(names[name]))) + queryOf(fields),
    ...(json === undefined || operation.method === 'GET' ? {} : { body: JSON.stringify(json) }),
    ...(operation.method === 'PUT' ? { body: lines.join('\n') } : {}),
  }));
}

/** A request that is answered 200 whatever the others did. */
function steadyShot(operation: Published): Shot {
  const no = operation.operationId === 'uploadRecipients' ? open : slow;
  const [shot = { operation, path: operation.path }] = shots(operation, 1, false);
  if (!operation.path.includes('{no}')) return shot;
  return { ...shot, path: operation.path.replace('{no}', no).replace('{part}', '7') };
}

const queryOf = (fields: unknown): string => {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(Object(fields))) query.set(name, String(value));
  const text = query.toString();
  return text === '' ? '' : `?${text}`;
};

const JUNK = [null, '', -1, 1.5, 1e300, true, [], {}, 'x'.repeat(300), '\ud800', [null], 'a@b', '_-8='];

/** The value without one of its fields, or with something else in it. */
function spoiled(value: unknown): fc.Arbitrary<unknown> {
  if (typeof value !== 'object' || value === null || Object.keys(value).length === 0) return fc.constantFrom(...JUNK);
  const fields = Object.entries(value);
  return fc.tuple(fc.nat({ max: fields.length - 1 }), fc.constantFrom(undefined, ...JUNK)).map(([at, junk]) => {
    const changed = fields.map(([name, one], i) => [name, i === at ? junk : one]);
    return Object.fromEntries(changed);
  });
}

interface Outcome extends Shot {
  status: number;
  text: string;
  problems: string[];
}

async function fire(to: { address: string }, shot: Shot): Promise<Outcome> {
  const { operation, path, body } = shot;
  const answer = await fetch(to.address + path, { method: operation.method, ...(body === undefined ? {} : { body }) });
  const text = await answer.text();
  for (const [, no = ''] of text.matchAll(/"(?:batch|broadcast)_no":"(\w+)"/g)) known.add(no);
  const problems = validator.problemsOfAnswer(operation, answer.status, answer.headers.get('content-type') ?? '', text);
  return { ...shot, status: answer.status, text, problems };
}

async function fireAll(to: { address: string }, all: Shot[]): Promise<Outcome[]> {
  const outcomes: Outcome[] = [];
  for (let at = 0; at < all.length; at += 10) {
    outcomes.push(...(await Promise.all(all.slice(at, at + 10).map((shot) => fire(to, shot)))));
  }
  return outcomes;
}

const shown = ({ operation, path, body, status, text, problems }: Outcome) =>
  `${operation.method} ${path} ${body ?? ''} → ${status} ${text.slice(0, 300)}: ${problems.join(', ')}`;
const wrong = (outcomes: Outcome[]) => outcomes.filter(({ problems }) => problems.length > 0).map(shown);

/** Creating comes first, because the others need numbers of what there is. */
const inOrder = () =>
  operations.toSorted(
    (a, b) => Number(b.operationId === 'createBroadcast') - Number(a.operationId === 'createBroadcast'),
  );

describe('every route answers what the document says', () => {
  test('to requests that it allows, and refuses none of them', async () => {
    const answered = new Map<string, Set<number>>();
    for (const operation of inOrder()) {
      // It was cancelled before, and can be retried once its last job has ended.
      if (operation.operationId === 'retryBroadcast') await ended(slow);
      const outcomes = await fireAll(system, [...shots(operation, RUNS, false), steadyShot(operation)]);
      expect(wrong(outcomes)).toEqual([]);
      const refused = outcomes.filter(
        ({ status, text }) => status === 400 && !BETWEEN_FIELDS.test(JSON.parse(text).msg),
      );
      expect(refused.map(shown)).toEqual([]);
      answered.set(operation.operationId, new Set(outcomes.map(({ status }) => status)));
    }
    const never200 = [...answered].filter(([, statuses]) => !statuses.has(200)).map(([name]) => name);
    expect(never200).toEqual([]);
  });

  test('to requests with a wrong field', async () => {
    const statuses = new Set<number>();
    for (const operation of inOrder()) {
      const outcomes = await fireAll(system, shots(operation, RUNS, true));
      expect(wrong(outcomes)).toEqual([]);
      for (const { status } of outcomes) statuses.add(status);
    }
    expect([...statuses]).toEqual(expect.arrayContaining([200, 400, 404]));
  });

  test('without the token: 401 but for what is open', async () => {
    const guarded = await startApi({ ...system.config, API_TOKEN: 'secret' });
    const outcomes = await fireAll(
      guarded,
      operations.flatMap((operation) => shots(operation, 2, false)),
    );
    await guarded.process.kill('SIGTERM');
    expect(wrong(outcomes)).toEqual([]);
    const served = outcomes.filter(({ status }) => status !== 401).map(({ operation }) => operation.path);
    expect([...new Set(served)].sort()).toEqual([
      '/docs',
      '/docs/{file}',
      '/health',
      '/livez',
      '/openapi.json',
      '/readyz',
    ]);
  });

  test('while Redis is away', async () => {
    await away.redis.kill();
    const outcomes = await Promise.all(
      operations.flatMap((operation) => shots(operation, 1, false)).map((shot) => fire(away, shot)),
    );
    await away.redis.restart();
    expect(wrong(outcomes)).toEqual([]);
    const unavailable = outcomes.filter(({ status }) => status === 503).map(({ operation }) => operation.operationId);
    expect(new Set(unavailable).size).toBeGreaterThan(20);
  });
});

test('every field and every parameter has a text', () => {
  const silent: string[] = [];
  const look = (schema: JsonSchema, place: string) => {
    for (const [name, field] of Object.entries(schema.properties ?? {})) {
      if (field.description === undefined) silent.push(`${place}.${name}`);
      look(field, `${place}.${name}`);
    }
  };
  for (const [name, schema] of Object.entries(document.components.schemas)) look(schema, name);
  expect(silent).toEqual(['OpenApi.openapi']);
});
