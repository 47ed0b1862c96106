import { parseArgs } from 'node:util';
import type { MemorySurvey } from '@ruyi/store';

const USAGE = 'ruyi memory [--json] [--seconds N | --exact] [--retention MESSAGES] [--max-age SECONDS]';
const SECONDS = 10;

interface Wishes {
  json: boolean;
  exact: boolean;
  seconds: number;
  retention: number | undefined;
  maxAge: number | undefined;
}

/** `ruyi memory`: what takes Redis' memory, and what a bound of the logs would free. @returns the exit code */
export async function memory(args: string[], env: NodeJS.ProcessEnv): Promise<number> {
  const wishes = wishesIn(args);
  if (typeof wishes === 'string') {
    process.stderr.write(`${wishes}\n${USAGE}\n`);
    return 2;
  }
  const [{ openRedis }, { surveyMemory }] = await Promise.all([import('./connection.ts'), import('@ruyi/store')]);
  const { redis } = await openRedis(env);
  try {
    const survey = await surveyMemory(redis, wishes);
    process.stdout.write(wishes.json ? `${JSON.stringify(survey)}\n` : textOf(survey, wishes));
    return 0;
  } finally {
    redis.disconnect();
  }
}

/** What the arguments ask for, or what is wrong with them. */
function wishesIn(args: string[]): Wishes | string {
  try {
    const { values } = parseArgs({
      args,
      options: {
        json: { type: 'boolean', default: false },
        exact: { type: 'boolean', default: false },
        seconds: { type: 'string' },
        retention: { type: 'string' },
        'max-age': { type: 'string' },
      },
    });
    if (values.exact && values.seconds !== undefined) return '--exact goes over everything: leave out --seconds';
    const seconds = wholeNumber('--seconds', values.seconds);
    return {
      json: values.json,
      exact: values.exact,
      seconds: values.exact ? Number.POSITIVE_INFINITY : (seconds ?? SECONDS),
      retention: wholeNumber('--retention', values.retention),
      maxAge: wholeNumber('--max-age', values['max-age']),
    };
  } catch (error) {
    return error instanceof Error ? (error.message.split('\n')[0] ?? '') : String(error);
  }
}

/** @throws Error if the text is no whole number from 1 on */
function wholeNumber(option: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  if (!/^[1-9]\d{0,14}$/.test(text)) throw new Error(`${option} ${text}: must be a whole number from 1 on`);
  return Number(text);
}

function textOf({ kinds, largest, freed, lookedAt, redis }: MemorySurvey, wishes: Wishes): string {
  const found = Object.entries(kinds).filter(([, { keys }]) => keys > 0);
  const total = found.reduce((sum, [, { bytes }]) => sum + bytes, 0);
  const rows = found
    .toSorted(([, a], [, b]) => b.bytes - a.bytes)
    .map(([kind, { keys, bytes }]) => [kind, whole(keys), bytesOf(bytes), percent(bytes / total)]);
  const parts = [aligned([['', 'keys', 'memory', 'share'], ...rows])];
  for (const [what, of, places] of [
    ['largest channels', 'messages', largest.channels],
    ['largest inboxes', 'commands', largest.inboxes],
  ] as const) {
    const lines = places.map(({ name, count, bytes }) => [name, whole(count), bytesOf(bytes)]);
    if (lines.length > 0) parts.push(aligned([[what, of, 'memory'], ...lines]));
  }
  if (freed) {
    const bounds = [
      ...(wishes.retention === undefined ? [] : [`LOG_RETENTION=${wishes.retention}`]),
      ...(wishes.maxAge === undefined ? [] : [`LOG_MAX_AGE=${wishes.maxAge}`]),
    ];
    parts.push(`${bounds.join(' ')} would free about ${bytesOf(freed.bytes)}: ${whole(freed.messages)} messages\n`);
  }
  const isWhole = lookedAt.keys === lookedAt.of;
  const share = isWhole
    ? 'all keys were looked at'
    : `estimated from ${percent(lookedAt.keys / lookedAt.of)} of the keys`;
  const allowed = redis.allowed === 0 ? 'without a bound' : `of ${bytesOf(redis.allowed)}`;
  parts.push(`Redis uses ${bytesOf(redis.used)} ${allowed}; ${share}\n`);
  return parts.join('\n');
}

const whole = (count: number): string => count.toLocaleString('en');
const percent = (share: number): string => `${(100 * (Number.isFinite(share) ? share : 0)).toFixed(1)} %`;

function bytesOf(bytes: number): string {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];
  const power = Math.min(units.length - 1, Math.floor(Math.log2(Math.max(1, bytes)) / 10));
  return `${(bytes / 1024 ** power).toFixed(power === 0 ? 0 : 1)} ${units[power]}`;
}

/** The first column is text, the others are numbers. */
function aligned(rows: string[][]): string {
  const widths = (rows[0] ?? []).map((_, i) => Math.max(...rows.map((row) => row[i]?.length ?? 0)));
  const cell = (text: string, i: number) => (i === 0 ? text.padEnd(widths[i] ?? 0) : text.padStart(widths[i] ?? 0));
  return rows.map((row) => `${row.map(cell).join('  ').trimEnd()}\n`).join('');
}
