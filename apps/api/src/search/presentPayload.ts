import { highlight, textFields } from '@ruyi/search';

/**
 * A found message's payload as usersearch shows it: the decoded object, `{}` where it is none; or base64, of the
 * original bytes, or of the object encoded again where something in it is highlighted.
 * @param highlights paths such as `payload.content`
 * @param text what was searched for, by payload field
 */
export function presentPayload(
  base64: string,
  highlights: string[],
  text: Record<string, string>,
  mode: 'object' | 'base64',
): Record<string, unknown> | string {
  const { object } = textFields(base64);
  if (!object) return mode === 'object' ? {} : base64;
  let marked = false;
  const shown: Record<string, unknown> = { ...object };
  for (const path of highlights) {
    const field = path.startsWith('payload.') ? path.slice('payload.'.length) : '';
    const value = Object.hasOwn(object, field) ? object[field] : undefined;
    const query = text[field];
    if (typeof value !== 'string' || query === undefined) continue;
    const result = highlight(value, query);
    if (result === undefined) continue;
    marked = true;
    Object.defineProperty(shown, field, { value: result, enumerable: true, configurable: true, writable: true });
  }
  if (mode === 'object') return shown;
  return marked ? Buffer.from(JSON.stringify(shown)).toString('base64') : base64;
}
