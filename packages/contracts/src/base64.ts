/** What canonicalBase64 accepts, for JSON Schema. */
export const BASE64_PATTERN = '^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}(?:==)?|[A-Za-z0-9+/]{3}=?)?$';
const STANDARD = /^[A-Za-z0-9+/]+={0,2}$/;

/**
 * Checks standard base64, padded or not (docs/api.md §1).
 * @returns it in the padded, canonical form that is stored and answered, and its decoded size in bytes; undefined if it is
 *   malformed or empty
 */
export function canonicalBase64(text: string): { text: string; bytes: number } | undefined {
  if (!STANDARD.test(text)) return undefined;
  const padding = text.endsWith('==') ? 2 : text.endsWith('=') ? 1 : 0;
  const digits = text.length - padding;
  if (digits % 4 === 1 || (padding > 0 && text.length % 4 !== 0)) return undefined;
  const bytes = Math.floor((digits * 3) / 4);
  if (digits % 4 === 0) return padding === 0 ? { text, bytes } : undefined;
  // The last digit may carry bits that belong to no byte. Encoding it anew clears them, so equal bytes have equal texts.
  const tail = Buffer.from(text.slice(digits - (digits % 4), digits), 'base64').toString('base64');
  return { text: text.slice(0, digits - (digits % 4)) + tail, bytes };
}
