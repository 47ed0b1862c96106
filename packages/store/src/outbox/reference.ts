import { Chunk } from '@ruyi/contracts';
import { z } from 'zod';

/** What waits to be indexed, as an outbox holds it. `at`: milliseconds, when it was stored, by the clock of the worker. */
export type Reference =
  | { kind: 'message'; at: number; channel: string; seq: number }
  | { kind: 'chunks'; at: number; recipients: number; ref: string; chunks: Chunk[] }
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
export const timeText = (at: number): string => at.toString(36);

/** What append-messages.lua writes; `bytes` of the log's entry. */
export const messageReference = (at: number, seq: number, bytes: number, channel: string): string =>
  `${timeText(at)} m ${seq} ${bytes} ${channel}`;

export const chunkReference = (at: number, recipients: number, { ref, chunks }: ChunkReference): string =>
  `${timeText(at)} b ${recipients} ${JSON.stringify({ ref, chunks })}`;

/** @param name of the call that leaves it: no other one has the same */
export const markText = (at: number, name: string): string => `${timeText(at)} ! ${name}`;

export function parseReference(text: string): Reference {
  const [, time = '', kind, rest = ''] = /^([0-9a-z]+) ([mb!]) (.*)$/s.exec(text) ?? [];
  const at = Number.parseInt(time, 36);
  if (kind === '!') return { kind: 'mark', at };
  if (kind === 'm') {
    const [, seq, channel] = /^(\d+) \d+ (.+)$/s.exec(rest) ?? [];
    if (seq !== undefined && channel !== undefined) return { kind: 'message', at, channel, seq: Number(seq) };
  }
  if (kind === 'b') {
    const [, recipients, json = ''] = /^(\d+) (.*)$/s.exec(rest) ?? [];
    const chunks = ChunkReference.safeParse(jsonOf(json)).data;
    if (chunks) return { kind: 'chunks', at, recipients: Number(recipients), ...chunks };
  }
  return { kind: 'unreadable' };
}

/** When the oldest reference of an outbox was stored, by its text. */
export const timeOf = (text: string): number | undefined => {
  const [, time] = /^([0-9a-z]+) /.exec(text) ?? [];
  return time === undefined ? undefined : Number.parseInt(time, 36);
};

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
