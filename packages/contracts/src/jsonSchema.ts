import { z } from 'zod';
import { FIELD_TEXTS } from './fieldTexts.ts';

/** A schema of JSON Schema 2020-12, as OpenAPI 3.1 takes it. */
export interface JsonSchema {
  [keyword: string]: unknown;
  properties?: Record<string, JsonSchema>;
  required?: string[];
}

/** For `meta`: a field that must be given, although its zod schema is one of `unknown`. */
export const REQUIRED = { 'x-required': true };
/** For `meta`: what an absent field means. zod drops a `default` of what it transforms. */
export const defaultsTo = (value: unknown) => ({ 'x-default': value });

/** What a schema accepts, as callers should write it: without the blanks that count as absent (docs/api.md §1). */
export const inputSchemaOf = (schema: z.ZodType): JsonSchema =>
  settled(plain(z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' })));

/**
 * Schemas with names. One that contains another refers to it as `#/components/schemas/<name>`.
 * @param io whether they are of what is taken or of what is given
 */
export function namedSchemas(schemas: Record<string, z.ZodType>, io: 'input' | 'output'): Record<string, JsonSchema> {
  const registry = z.registry<{ id: string }>();
  for (const [id, schema] of Object.entries(schemas)) registry.add(schema, { id });
  const uri = (id: string) => `#/components/schemas/${id}`;
  const { schemas: converted } = z.toJSONSchema(registry, { io, uri, unrepresentable: 'any' });
  return Object.fromEntries(Object.entries(converted).map(([id, schema]) => [id, settled(plain(schema))]));
}

/** As it would arrive: zod's own object has more than JSON. */
function plain(schema: object): JsonSchema {
  return JSON.parse(JSON.stringify(schema));
}

const SAFE = new Map<string, unknown>([
  ['minimum', Number.MIN_SAFE_INTEGER],
  ['maximum', Number.MAX_SAFE_INTEGER],
]);

/**
 * Makes of what zod says what callers should read: a field with a default need not be given; no field is forbidden, because a later
 * version may answer more; a whole number without bounds has none; fields have their texts.
 */
function settled(schema: JsonSchema): JsonSchema {
  const { $schema, $id, ...rest } = schema;
  const kept = Object.entries(rest)
    .filter(([keyword, value]) => !SAFE.has(keyword) || SAFE.get(keyword) !== value)
    .filter(([keyword, value]) => keyword !== 'additionalProperties' || value !== false)
    .map(([keyword, value]) => [keyword, keyword === 'properties' ? value : settledValue(value)]);
  const result: JsonSchema = Object.fromEntries(kept);
  if (schema.properties === undefined) return result;
  const fields = Object.entries(schema.properties);
  const isRequired = ([name, field]: [string, JsonSchema]) =>
    field['x-required'] === true || (schema.required?.includes(name) === true && !('x-default' in field));
  const required = fields.filter(isRequired).map(([name]) => name);
  const properties = Object.fromEntries(fields.map(([name, field]) => [name, settledField(name, field)]));
  const { required: _, ...others } = result;
  return { ...others, properties, ...(required.length > 0 ? { required } : {}) };
}

function settledField(name: string, field: JsonSchema): JsonSchema {
  const { 'x-required': _, 'x-default': fallback, description, ...rest } = settled(field);
  const text = description ?? FIELD_TEXTS[name];
  return {
    ...rest,
    ...(fallback === undefined ? {} : { default: fallback }),
    ...(text === undefined ? {} : { description: text }),
  };
}

const isSchema = (value: unknown): value is JsonSchema =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

function settledValue(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(settledValue);
  return isSchema(value) ? settled(value) : value;
}
