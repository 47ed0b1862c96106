import { pino } from 'pino';

/** Bounds of what one error may add to a line of the log, in characters. */
const MOST_IN_TEXT = 2000;
const MOST_IN_STACK = 8000;
const MOST_ERRORS = 5;

const cut = (text: string, most: number) => (text.length > most ? `${text.slice(0, most)}…` : text);

/**
 * What the log keeps of an error: its type, message, stack and whatever else it has that is a text, a number or a
 * boolean. Everything else is left out, because libraries attach what they were asked to do: ioredis adds the failed
 * command with its arguments, which hold payloads, tokens' hashes and up to 100,000 uids. Of a command its name is kept.
 */
export function errorFields(error: unknown): unknown {
  if (!(error instanceof Error)) return typeof error === 'string' ? cut(error, MOST_IN_TEXT) : error;
  const fields: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(pino.stdSerializers.err(error))) {
    if (typeof value === 'string') fields[name] = cut(value, name === 'stack' ? MOST_IN_STACK : MOST_IN_TEXT);
    else if (typeof value === 'number' || typeof value === 'boolean') fields[name] = value;
  }
  const { command } = { command: undefined, ...error };
  const name: unknown = typeof command === 'object' && command !== null ? Reflect.get(command, 'name') : undefined;
  if (typeof name === 'string') fields.command = { name };
  if (error instanceof AggregateError) fields.aggregateErrors = error.errors.slice(0, MOST_ERRORS).map(errorFields);
  return fields;
}
