import { isUtf8 } from 'node:buffer';

/** What of a payload can be searched and shown; nothing where its bytes are no JSON object. */
export interface PayloadFields {
  /** top-level string fields */
  text: Record<string, string>;
  /** top-level `type`, where it is a whole number */
  type?: number;
  object?: Record<string, unknown>;
}

export function textFields(base64: string): PayloadFields {
  const object = parseObject(Buffer.from(base64, 'base64'));
  if (!object) return { text: {} };
  const text: Record<string, string> = Object.create(null);
  for (const [name, value] of Object.entries(object)) if (typeof value === 'string') text[name] = value;
  const { type } = object;
  return { text, object, ...(Number.isSafeInteger(type) ? { type: Number(type) } : {}) };
}

function parseObject(bytes: Buffer): Record<string, unknown> | undefined {
  if (bytes[0] === undefined || !isUtf8(bytes)) return undefined;
  try {
    const value: unknown = JSON.parse(bytes.toString('utf8'));
    return isObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
