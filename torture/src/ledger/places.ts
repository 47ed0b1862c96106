import { channelName } from '@ruyi/contracts';

/** The ledger's name of a log or an inbox. */
export const logPlace = (channelType: number, channelId: string, uid?: string): string =>
  `log ${channelName(channelType, channelId, uid)}`;
export const inboxPlace = (uid: string): string => `inbox ${uid}`;

export type Place = { kind: 'log'; channel: string } | { kind: 'inbox'; uid: string };

export function parsePlace(place: string): Place {
  const space = place.indexOf(' ');
  const name = place.slice(space + 1);
  return place.startsWith('log') ? { kind: 'log', channel: name } : { kind: 'inbox', uid: name };
}

const TOKEN = /^n(\d+) /;

/** A payload whose text begins with the number of the request that carries it. */
export const payloadOf = (n: number, word: string, bytes = 0): string =>
  Buffer.from(JSON.stringify({ type: 1, content: `n${n} ${word} ${'x'.repeat(bytes)}` })).toString('base64');

/** The number of the request that carried a payload; undefined if it is none of this run. */
export function tokenOf(payload: string): number | undefined {
  try {
    const { content } = JSON.parse(Buffer.from(payload, 'base64').toString());
    const found = TOKEN.exec(String(content));
    return found ? Number(found[1]) : undefined;
  } catch {
    return undefined;
  }
}
