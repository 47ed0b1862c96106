import { readFileSync } from 'node:fs';
import { type BroadcastRequest, textPayload } from '@ruyi/client';
import { InvalidArgumentError, Option } from 'commander';
import { UsageError } from '../../usageError.ts';

/** `--json '{…}'` is the message; `--json` alone is how to answer. */
interface Json {
  payload?: string;
  output?: true;
}

/** What commander reads. */
export interface GivenOptions {
  uids?: string;
  allUsers?: true;
  channel?: string;
  channelType: number;
  payload?: string;
  text?: string;
  json?: Json;
  name?: string;
  from?: string;
  rate?: number;
  at?: number;
  dryRun?: true;
  yes?: true;
  resume?: true;
}

/** Who gets it: a file, or `-` for standard input; or an audience that the API knows. */
export interface BroadcastPlan {
  list?: string;
  /** without a payload only to resume */
  request: Omit<BroadcastRequest, 'payload'> & { payload?: string };
  isDryRun: boolean;
  isConfirmed: boolean;
  isResumed: boolean;
  isJson: boolean;
}

const wholeNumber = (min: number, max: number) => (text: string) => {
  const n = /^\d{1,15}$/.test(text) ? Number(text) : Number.NaN;
  if (n >= min && n <= max) return n;
  throw new InvalidArgumentError(`It must be a whole number from ${min} to ${max}.`);
};

const UNIT_SECONDS: Record<string, number> = { s: 1, m: 60, h: 3600, d: 86_400 };
/** Seconds since 1970 below it are seconds; above it somebody has milliseconds. */
const FAR = 10 ** 11;

/** `2030-01-31T09:00+08:00`, `+90m`, or seconds since 1970, as the latter. */
export function readTime(text: string): number {
  const [, amount, unit = ''] = /^\+(\d{1,9})([smhd])$/.exec(text) ?? [];
  if (amount !== undefined) return Math.round(Date.now() / 1000) + Number(amount) * (UNIT_SECONDS[unit] ?? 1);
  if (/^\d{1,12}$/.test(text) && Number(text) < FAR) return Number(text);
  const ms = /^\d{4}-\d\d-\d\d([T ]|$)/.test(text) ? Date.parse(text) : Number.NaN;
  if (Number.isNaN(ms)) {
    throw new InvalidArgumentError('It must be like 2030-01-31T09:00+08:00, +90m or seconds since 1970.');
  }
  return Math.floor(ms / 1000);
}

function readJson(text: string, before: Json | undefined): Json {
  if (text === '') return { ...before, output: true };
  try {
    JSON.parse(text);
  } catch {
    throw new InvalidArgumentError('It must be JSON, the message; alone, --json prints the answer as JSON.');
  }
  return { ...before, payload: text };
}

/** The options of `ruyi broadcast`. */
export const broadcastOptions = (): Option[] => [
  new Option('--uids <file>', 'who gets it: a file with one uid a line; - reads standard input'),
  new Option('--all-users', 'everyone who was registered with /user/token'),
  new Option('--channel <id>', 'the subscribers of a channel'),
  new Option('--channel-type <n>', 'of that channel; 2').default(2).argParser(wholeNumber(2, 255)),
  new Option('--payload <file>', 'what they get: the bytes of a file'),
  new Option('--text <text>', 'what they get: {"type":1,"content":<text>}'),
  new Option('--json [object]', 'what they get, as JSON; alone: print the answer as JSON')
    .preset('')
    .argParser(readJson),
  new Option('--name <name>', 'what it is called in lists'),
  new Option('--from <uid>', 'the sender'),
  new Option('--rate <n>', 'at most so many recipients a second').argParser(wholeNumber(1, 1_000_000_000)),
  new Option('--at <time>', 'start later: 2030-01-31T09:00+08:00 or +90m').argParser(readTime),
  new Option('--dry-run', 'upload, show what it would take, and send nothing'),
  new Option('--yes', 'do not ask'),
  new Option('--resume', 'go on with a list that was begun'),
];

/** @throws UsageError for options that contradict each other, or a payload that cannot be read */
export function planOf(given: GivenOptions): BroadcastPlan {
  const sources = [given.uids !== undefined, given.allUsers === true, given.channel !== undefined];
  if (sources.filter(Boolean).length !== 1) throw new UsageError('name one of --uids, --all-users and --channel');
  const isResumed = given.resume === true;
  if (isResumed && (given.uids === undefined || given.uids === '-')) {
    throw new UsageError('--resume goes on with a file: name it with --uids');
  }
  if (isResumed && given.dryRun) throw new UsageError('give either --resume or --dry-run');
  const payload = payloadOf(given);
  if (payload === undefined && !isResumed) throw new UsageError('name one of --payload, --text and --json <object>');
  return {
    ...(given.uids === undefined ? {} : { list: given.uids }),
    request: {
      ...(payload === undefined ? {} : { payload }),
      ...(given.name === undefined ? {} : { name: given.name }),
      ...(given.from === undefined ? {} : { from_uid: given.from }),
      ...(given.rate === undefined ? {} : { rate: given.rate }),
      ...(given.at === undefined ? {} : { start_at: given.at }),
      ...(given.allUsers ? { audience: { known_users: true } } : {}),
      ...(given.channel === undefined
        ? {}
        : { audience: { channel_id: given.channel, channel_type: given.channelType } }),
    },
    isDryRun: given.dryRun === true,
    isConfirmed: given.yes === true,
    isResumed,
    isJson: given.json?.output === true,
  };
}

/** @returns base64, or undefined if none is named */
function payloadOf({ payload, text, json }: GivenOptions): string | undefined {
  const named = [payload, text, json?.payload].filter((one) => one !== undefined);
  if (named.length > 1) throw new UsageError('name only one of --payload, --text and --json <object>');
  if (text !== undefined) return textPayload({ type: 1, content: text });
  if (payload === undefined) return json?.payload === undefined ? undefined : textPayload(json.payload);
  return readPayload(payload);
}

function readPayload(file: string): string {
  let content: Buffer;
  try {
    content = readFileSync(file);
  } catch (error) {
    throw new UsageError(`--payload ${file}: cannot be read (${codeOf(error)})`);
  }
  if (content.length === 0) throw new UsageError(`--payload ${file}: the file is empty`);
  return content.toString('base64');
}

/** ENOENT, EACCES, … */
export const codeOf = (error: unknown): string =>
  error instanceof Error && 'code' in error ? String(error.code) : String(error);
