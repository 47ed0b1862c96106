import { type ErrorCode, isName, type JsonSchema } from '@ruyi/contracts';
import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js';
import fc from 'fast-check';

/** The OpenAPI document as tests read it: what it says of a request and of an answer, and values that its schemas allow. */

interface Parameter {
  name: string;
  in: 'path' | 'query' | 'header';
  required: boolean;
  schema: JsonSchema;
}

type Content = Record<string, { schema: JsonSchema; example?: unknown }>;

interface Operation {
  operationId: string;
  parameters?: Parameter[];
  requestBody?: { content: Content };
  responses: Record<string, { content: Content; 'x-codes'?: ErrorCode[] }>;
}

export interface OpenApi {
  paths: Record<string, Record<string, Operation>>;
  components: { schemas: Record<string, JsonSchema> };
}

/** One operation and where it is. */
export interface Published extends Operation {
  method: string;
  path: string;
}

export const operationsOf = (document: OpenApi): Published[] =>
  Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({ ...operation, method: method.toUpperCase(), path })),
  );

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** The document with every object closed: it allows more, so that a later version may answer more, but today nothing more is answered. */
function closed(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(closed);
  if (!isObject(value)) return value;
  const inner = Object.fromEntries(Object.entries(value).map(([key, one]) => [key, closed(one)]));
  return isObject(value.properties) && !('additionalProperties' in value)
    ? { ...inner, additionalProperties: false }
    : inner;
}

const pointer = (parts: string[]) =>
  parts.map((part) => `/${encodeURIComponent(part.replaceAll('~', '~0').replaceAll('/', '~1'))}`).join('');

export interface Validator {
  /** What is wrong with an answer; empty if it is what the document says. */
  problemsOfAnswer(operation: Published, status: number, type: string, text: string): string[];
  problemsOfRequest(operation: Published, body: unknown): string[];
}

export function validatorOf(document: OpenApi): Validator {
  const options = { strict: false, validateFormats: false, allErrors: true };
  const answers = new Ajv2020(options).addSchema(Object(closed(document)), 'document');
  const requests = new Ajv2020(options).addSchema(document, 'document');
  const compiled = new Map<string, ValidateFunction>();
  const problems = (ajv: Ajv2020, parts: string[], value: unknown): string[] => {
    const place = pointer(parts);
    const validate = compiled.get(place) ?? ajv.compile({ $ref: `document#${place}` });
    compiled.set(place, validate);
    return validate(value)
      ? []
      : (validate.errors ?? []).map(({ instancePath, message }) => `${instancePath} ${message}`);
  };
  return {
    problemsOfRequest: ({ path, method }, body) =>
      problems(
        requests,
        ['paths', path, method.toLowerCase(), 'requestBody', 'content', 'application/json', 'schema'],
        body,
      ),
    problemsOfAnswer({ path, method, responses }, status, type, text) {
      const response = responses[status];
      if (response === undefined) return [`no response with status ${status} is described`];
      const [media = ''] = type.split(';');
      if (!(media in response.content)) return [`${media} is not described for ${status}`];
      const place = ['paths', path, method.toLowerCase(), 'responses', String(status), 'content', media, 'schema'];
      const values = media === 'application/json' ? [text] : media === 'application/x-ndjson' ? text.split('\n') : [];
      const found = values.filter((one) => one !== '').flatMap((one) => problems(answers, place, JSON.parse(one)));
      const codes = response['x-codes'];
      const code: unknown = codes === undefined ? undefined : JSON.parse(text).code;
      return codes?.some((one) => one === code) === false
        ? [...found, `code ${code} is not described for ${status}`]
        : found;
    },
  };
}

/** Few names, so that requests meet what others left; and some that look strange. */
const NAMES = ['ann', 'bob', 'news', 'room', 'g1', '北京', '😀', 'a b', '____system'];
const TEXTS = ['', 'x', '你好', '"', '\\', '__proto__', 'wait=1'];
const PAYLOADS = ['{"type":1,"content":"你好 world"}', '{"type":2,"name":"ann"}', '[1]', 'x'];

function textOf({ pattern, minLength = 0, maxLength = 40, contentEncoding }: JsonSchema): fc.Arbitrary<string> {
  if (contentEncoding === 'base64') {
    const bytes = fc.oneof(
      fc.constantFrom(...PAYLOADS).map((text) => Buffer.from(text)),
      fc.uint8Array({ minLength: 1, maxLength: 40 }).map((some) => Buffer.from(some)),
    );
    return fc
      .tuple(bytes, fc.boolean())
      .map(([some, padded]) => some.toString('base64').replace(padded ? /$/ : /=+$/, ''));
  }
  const length = { minLength: Number(minLength), maxLength: Math.min(Number(maxLength), 40) };
  const any = fc.oneof(fc.constantFrom(...TEXTS), fc.string({ unit: 'grapheme', ...length }));
  const isLong = (text: string) => [...text].length >= length.minLength && [...text].length <= length.maxLength;
  if (pattern === undefined) return any.filter(isLong);
  if (String(pattern).includes('\\p{')) {
    return fc.oneof({ arbitrary: fc.constantFrom(...NAMES), weight: 4 }, { arbitrary: any.filter(isName), weight: 1 });
  }
  return fc.stringMatching(new RegExp(String(pattern)));
}

function objectOf(
  schema: JsonSchema,
  arbitraryOf: (schema: JsonSchema) => fc.Arbitrary<unknown>,
): fc.Arbitrary<unknown> {
  const { properties = {}, required = [], additionalProperties } = schema;
  if (Object.keys(properties).length === 0 && isObject(additionalProperties)) {
    return fc.dictionary(fc.constantFrom('content', 'name', 'x'), arbitraryOf(additionalProperties), { maxKeys: 3 });
  }
  const arbitraries = Object.fromEntries(Object.entries(properties).map(([name, field]) => [name, arbitraryOf(field)]));
  return fc.record(arbitraries, { requiredKeys: required });
}

/** Values that a schema of a request allows. */
export function valuesOf(schema: JsonSchema, document: OpenApi): fc.Arbitrary<unknown> {
  const arbitraryOf = (one: JsonSchema): fc.Arbitrary<unknown> => {
    const { $ref, anyOf, minimum = 0, maximum = Number.MAX_SAFE_INTEGER, items, minItems = 0, maxItems = 5 } = one;
    if (typeof $ref === 'string') return arbitraryOf(document.components.schemas[$ref.split('/').at(-1) ?? ''] ?? {});
    if ('const' in one) return fc.constant(one.const);
    if (Array.isArray(one.enum)) return fc.constantFrom(...one.enum);
    if (Array.isArray(anyOf)) return fc.oneof(...anyOf.map(arbitraryOf));
    if (one.type === 'integer') {
      const [min, max] = [Number(minimum), Number(maximum)];
      return fc.oneof(
        fc.integer({ min, max: Math.min(max, min + 4) }),
        fc.constant(max),
        fc.bigInt({ min: BigInt(min), max: BigInt(max) }).map(Number),
      );
    }
    if (one.type === 'string') return textOf(one);
    if (one.type === 'array') {
      const length = { minLength: Number(minItems), maxLength: Math.min(Number(maxItems), 5) };
      return fc.array(arbitraryOf(isObject(items) ? items : {}), length);
    }
    if (one.type === 'object') return objectOf(one, arbitraryOf);
    throw new Error(`no values for ${JSON.stringify(one)}`);
  };
  return arbitraryOf(schema);
}
