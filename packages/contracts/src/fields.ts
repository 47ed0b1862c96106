import { z } from 'zod';
import { BASE64_PATTERN, canonicalBase64 } from './base64.ts';
import { isName, MAX_SEQ, NAME_PATTERN, NAME_RULE } from './ids.ts';
import { defaultsTo, inputSchemaOf, REQUIRED } from './jsonSchema.ts';

/** The bounds of requests that are settings (docs/configuration.md). */
export interface RequestLimits {
  maxPayloadBytes: number;
  maxRecipients: number;
}

const LONE_SURROGATE = /\p{Cs}/u;

/**
 * Whether a text has more than `max` characters, counted as code points (docs/api.md §1). Code points are counted only if
 * the length leaves it open.
 */
export function isLonger(text: string, max: number): boolean {
  if (text.length <= max) return false;
  return text.length > 2 * max || Array.from(text).length > max;
}

/** Whether a text has no lone surrogates. */
export const isWellFormed = (text: string): boolean => !LONE_SURROGATE.test(text);

const blank = (value: unknown): unknown => (value === null || value === '' ? undefined : value);

/** An optional field: `null` and `""` count as absent (docs/api.md §1). */
export const optional = <T extends z.ZodType>(schema: T) => z.preprocess(blank, schema.optional());

/** An optional field with a default. */
export const withDefault = <T extends z.ZodType>(schema: T, value: z.output<T>) =>
  z.preprocess((given) => blank(given) ?? value, schema).meta(defaultsTo(value));

const required = (what: string) => (issue: { input: unknown }) =>
  issue.input === undefined || issue.input === null ? 'is required' : `must be ${what}`;

/** What JSON Schema can say of a uid or a channel_id. */
const NAME_SCHEMA = { minLength: 1, maxLength: 128, pattern: NAME_PATTERN };
const name = () =>
  z
    .string({ error: required('a string') })
    .refine(isName, { error: NAME_RULE })
    .meta(NAME_SCHEMA);
export const Uid = name();
export const ChannelId = name();
export const flag = (fallback: 0 | 1 = 0) =>
  withDefault(z.literal([0, 1], { error: 'must be 0 or 1' }).meta({ type: 'integer' }), fallback);
export const whole = (min: number, max: number) =>
  z
    .number({ error: required('a whole number') })
    .int('must be a whole number')
    .min(min, `must be at least ${min}`)
    .max(max, `must be at most ${max}`);
/** A whole number in a query, where everything is text. */
export const digits = (min: number, max: number) =>
  z.preprocess((text) => (typeof text === 'string' && /^\d{1,16}$/.test(text) ? Number(text) : text), whole(min, max));
/** 1 is personal, 2 a group, every other value behaves like a group (docs/api.md §1). */
export const RequiredChannelType = whole(1, 255);
export const Seq = whole(0, MAX_SEQ);
export const label = withDefault(
  z
    .string({ error: 'must be a string' })
    .refine((text) => !isLonger(text, 128), { error: 'must be at most 128 characters', abort: true })
    .refine(isWellFormed, { error: 'must not contain lone surrogates' })
    .meta({ maxLength: 128 }),
  '',
);

/** A `limit`: 0 or absent means the default, more than `max` means `max`, and a negative one is refused. */
export const limit = (fallback: number, max: number) =>
  withDefault(whole(0, Number.MAX_SAFE_INTEGER), 0)
    .transform((n) => (n === 0 ? fallback : Math.min(n, max)))
    .meta(defaultsTo(fallback));

/** Marks an issue that is answered 413 instead of 400. */
export const TOO_LARGE = 'payload_too_large';

/** Standard base64, padded or not, of 1 to `maxBytes` bytes. Parsed, it has the padded form. */
export const payload = (maxBytes: number) =>
  z
    .string({ error: required('a base64 string') })
    .transform((text, context) => {
      const decoded = canonicalBase64(text);
      if (!decoded) {
        context.addIssue({ code: 'custom', message: 'must be standard base64 of at least one byte' });
        return z.NEVER;
      }
      if (decoded.bytes > maxBytes) {
        context.addIssue({
          code: 'custom',
          message: `is ${decoded.bytes} bytes after decoding, at most ${maxBytes} are allowed`,
          params: { answer: TOO_LARGE },
        });
        return z.NEVER;
      }
      return decoded.text;
    })
    .meta({ minLength: 2, maxLength: 4 * Math.ceil(maxBytes / 3), pattern: BASE64_PATTERN, contentEncoding: 'base64' });

const isAbsent = (value: unknown) => value === undefined || value === null;

/** Why a list is refused: the rule, and where it is broken. */
interface Refusal {
  message: string;
  path: PropertyKey[];
}
const refusal = (message: string, ...path: PropertyKey[]): Refusal => ({ message, path });
const isRefusal = <T>(outcome: T[] | Refusal): outcome is Refusal => !Array.isArray(outcome);

/**
 * A field whose value `read` turns into a list or refuses for one reason, so a broken list adds one issue to an answer.
 * @param described the same in JSON Schema
 */
const listField = <T>(described: object, read: (value: unknown) => T[] | Refusal) =>
  z
    .unknown()
    .optional()
    .transform((value, context): T[] => {
      const outcome = read(value);
      if (!isRefusal(outcome)) return outcome;
      context.addIssue({ code: 'custom', ...outcome });
      return z.NEVER;
    })
    .meta({ type: 'array', ...described });

/**
 * A list of at most `max` items. It is refused by its length before any item is looked at, then at the first broken item
 * (docs/api.md §1).
 */
export const list = <T extends z.ZodType>(item: T, max: number) =>
  listField<z.output<T>>({ items: inputSchemaOf(item), maxItems: max }, (value) => {
    if (!Array.isArray(value)) return refusal('must be an array');
    if (value.length > max) return refusal(`has ${value.length} items, at most ${max} are allowed`);
    const items: z.output<T>[] = [];
    for (const [index, given] of value.entries()) {
      const parsed = item.safeParse(given);
      if (!parsed.success) {
        const [issue] = parsed.error.issues;
        return refusal(issue?.message ?? 'is not allowed', index, ...(issue?.path ?? []));
      }
      items.push(parsed.data);
    }
    return items;
  });

/** A list of texts. Repeats count once, and the parsed list has none. */
export const textSet = (bounds: { max: number; maxLength: number }) =>
  listField<string>({ items: { type: 'string', maxLength: bounds.maxLength }, maxItems: bounds.max }, (value) => {
    if (!Array.isArray(value)) return refusal('must be an array');
    const texts = new Set<string>();
    for (let index = 0; index < value.length; index++) {
      const text: unknown = value[index];
      if (typeof text !== 'string') return refusal('must be a string', index);
      if (isLonger(text, bounds.maxLength)) return refusal(`must be at most ${bounds.maxLength} characters`, index);
      texts.add(text);
      if (texts.size > bounds.max) return refusal(`names more than ${bounds.max} different texts`);
    }
    return [...texts];
  });

/** The longest string in a list of uids, even if invalid uids are only reported (docs/api.md §2, sendbatch). */
const MAX_LISTED_UID = 256;

const uidListSchema = ({ min, max, strict }: { min: number; max: number; strict: boolean }) => ({
  items: { type: 'string', ...(strict ? NAME_SCHEMA : { maxLength: MAX_LISTED_UID }) },
  maxItems: max,
  ...(min > 0 ? { minItems: min, ...REQUIRED } : {}),
});

/**
 * A list of uids, checked in one pass, because a zod schema per element of 100,000 costs more than the rest of the request.
 * With `strict` one invalid uid refuses the whole list. Without it only an element refuses the list that is not a string,
 * or is so long that keeping and reporting it would cost more than a recipient does.
 */
export const uidList = (bounds: { min: number; max: number; strict: boolean }) =>
  listField<string>(uidListSchema(bounds), (value) => {
    if (isAbsent(value)) return bounds.min === 0 ? [] : refusal('is required');
    if (!Array.isArray(value)) return value === '' && bounds.min === 0 ? [] : refusal('must be an array of uids');
    if (value.length < bounds.min) return refusal('must name at least one uid');
    if (value.length > bounds.max) return refusal(`has ${value.length} uids, at most ${bounds.max} are allowed`);
    for (let index = 0; index < value.length; index++) {
      const uid: unknown = value[index];
      if (typeof uid !== 'string') return refusal('must be a string', index);
      if (isLonger(uid, MAX_LISTED_UID)) return refusal(`must be at most ${MAX_LISTED_UID} characters`, index);
      if (bounds.strict && !isName(uid)) return refusal(NAME_RULE, index);
    }
    return value;
  });
