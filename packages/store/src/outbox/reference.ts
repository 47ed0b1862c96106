import { Chunk } from '@ruyi/contracts';
import { z } from 'zod';

/** Where a reference comes from. */
export interface Origin {
  /** milliseconds, when it was stored, by the clock of the worker */
  at: number;
  /** the trace that it belongs to, a word without spaces (Tracing of packages/queue) */
  trace?: string | undefined;
}

/** What waits to be indexed, as an outbox holds it. */
export type Reference =
  | (Origin & { kind: 'message'; channel: string; seq: number })
  | (Origin & { kind: 'chunks'; recipients: number; ref: string; chunks: Chunk[] })
  /** references were not kept: the index has to be rebuilt */
  | { kind: 'mark'; at: number }
  | { kind: 'unreadable' };

/** The chunks of a broadcast's job. */
interface ChunkReference {
  ref: string;
  chunks: Chunk[];
}

const ChunkReference = z.object({ ref: z.string(), chunks: z.array(Chunk) });

/** How references begin: base 36 is shorter. */
export const originText = ({ at, trace = '' }: Origin): string =>
  trace === '' ? at.toString(36) : `${at.toString(36)};${trace}`;

/** What append-messages.lua writes; `bytes` of the log's entry. */
export const messageReference = (origin: Origin, seq: number, bytes: number, channel: string): string =>
  `${originText(origin)} m ${seq} ${bytes} ${channel}`;

export const chunkReference = (origin: Origin, recipients: number, { ref, chunks }: ChunkReference): string =>
  `${originText(origin)} b ${recipients} ${JSON.stringify({ ref, chunks })}`;

/** @param name of the call that leaves it: no other one has the same */
export const markText = (at: number, name: string): string => `${originText({ at })} ! ${name}`;

export function parseReference(text: string): Reference {
  const [, time = '', trace, kind, rest = ''] = /^([0-9a-z]+)(?:;(\S+))? ([mb!]) (.*)$/s.exec(text) ?? [];
  const at = Number.parseInt(time, 36);
  const origin: Origin = trace === undefined ? { at } : { at, trace };
  if (kind === '!') return { kind: 'mark', at };
  if (kind === 'm') {
    const [, seq, channel] = /^(\d+) \d+ (.+)$/s.exec(rest) ?? [];
    if (seq !== undefined && channel !== undefined) return { kind: 'message', ...origin, channel, seq: Number(seq) };
  }
  if (kind === 'b') {
    const [, recipients, json = ''] = /^(\d+) (.*)$/s.exec(rest) ?? [];
    const chunks = ChunkReference.safeParse(jsonOf(json)).data;
    if (chunks) return { kind: 'chunks', ...origin, recipients: Number(recipients), ...chunks };
  }
  return { kind: 'unreadable' };
}

/** When a reference was stored, by how its text begins. */
export const timeOf = (text: string): number | undefined => {
  const [, time] = /^([0-9a-z]+)[; ]/.exec(text) ?? [];
  return time === undefined ? undefined : Number.parseInt(time, 36);
};

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
