import { z } from 'zod';
import { canonicalBase64 } from './base64.ts';
import { isName, MAX_SEQ, NAME_RULE } from './ids.ts';

/** What the configuration bounds in requests (§4). */
export interface RequestLimits {
  maxPayloadBytes: number;
  maxRecipients: number;
}

const LONE_SURROGATE = /\p{Cs}/u;

const blank = (value: unknown): unknown => (value === null || value === '' ? undefined : value);

/** An optional field: `null` and `""` count as absent (§1). */
export const optional = <T extends z.ZodType>(schema: T) => z.preprocess(blank, schema.optional());

/** An optional field with a default. */
export const withDefault = <T extends z.ZodType>(schema: T, value: z.output<T>) =>
  z.preprocess((given) => blank(given) ?? value, schema);

const required = (what: string) => (issue: { input: unknown }) =>
  issue.input === undefined || issue.input === null ? 'is required' : `must be ${what}`;

export const Uid = z.string({ error: required('a string') }).refine(isName, { error: NAME_RULE });
export const ChannelId = Uid;
export const flag = (fallback: 0 | 1 = 0) =>
  withDefault(z.union([z.literal(0), z.literal(1)], { error: 'must be 0 or 1' }), fallback);
export const whole = (min: number, max: number) =>
  z
    .number({ error: required('a whole number') })
    .int('must be a whole number')
    .min(min, `must be at least ${min}`)
    .max(max, `must be at most ${max}`);
/** 1 is personal, 2 a group, every other value behaves like a group (§1). */
export const RequiredChannelType = whole(1, 255);
export const Seq = whole(0, MAX_SEQ);
export const label = withDefault(
  z
    .string({ error: 'must be a string' })
    .max(128, 'must be at most 128 characters')
    .refine((text) => !LONE_SURROGATE.test(text), { error: 'must not contain lone surrogates' }),
  '',
);

/** Limits as the contract counts them: 0 or absent is the default, more than `max` is `max`, negative is refused. */
export const limit = (fallback: number, max: number) =>
  withDefault(whole(0, Number.MAX_SAFE_INTEGER), 0).transform((n) => (n === 0 ? fallback : Math.min(n, max)));

/** The code of an issue that is answered 413 instead of 400. */
export const TOO_LARGE = 'payload_too_large';

/** Standard base64, padded or not, 1 to `maxBytes` bytes decoded; comes out in the padded form. */
export const payload = (maxBytes: number) =>
  z.string({ error: required('a base64 string') }).transform((text, context) => {
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
  });

/**
 * A list of uids, checked in one pass: a zod object for each of 100,000 elements costs more than the rest of the
 * request. `strict` refuses the list for one invalid uid; otherwise only an element that is no string is refused.
 */
export const uidList = (bounds: { min: number; max: number; strict: boolean }) =>
  z
    .unknown()
    .optional()
    .transform((value, context): string[] => {
      const refuse = (message: string, path: number[] = []) => {
        context.addIssue({ code: 'custom', message, path });
        return z.NEVER;
      };
      if (value === undefined || value === null) return bounds.min === 0 ? [] : refuse('is required');
      if (!Array.isArray(value)) return value === '' && bounds.min === 0 ? [] : refuse('must be an array of uids');
      if (value.length < bounds.min) return refuse('must name at least one uid');
      if (value.length > bounds.max) return refuse(`has ${value.length} uids, at most ${bounds.max} are allowed`);
      for (let i = 0; i < value.length; i++) {
        const uid: unknown = value[i];
        if (typeof uid !== 'string') return refuse('must be a string', [i]);
        if (bounds.strict && !isName(uid)) return refuse(NAME_RULE, [i]);
      }
      return value as string[];
    });
