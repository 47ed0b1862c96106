import type { Findings } from '../findings.ts';
import type { Ledger, Sent } from '../ledger/ledger.ts';
import type { Stored } from './readBack.ts';

/** What each place must contain: the requests that name it. */
export function expectedPlaces(ledger: Ledger): Map<string, Sent[]> {
  const places = new Map<string, Sent[]>();
  for (const sent of ledger.sent) {
    for (const place of sent.places) {
      const expected = places.get(place);
      if (expected) expected.push(sent);
      else places.set(place, [sent]);
    }
  }
  return places;
}

/** Compares each place with the ledger: nothing lost, doubled, foreign or out of order, and seqs 1 to n. */
export function checkPlaces(
  ledger: Ledger,
  findings: Findings,
  places: Map<string, Sent[]>,
  found: Map<string, Stored[]>,
): number {
  const ids = new Map<number, string>();
  let messages = 0;
  for (const [place, expected] of places) {
    const stored = found.get(place) ?? [];
    messages += stored.length;
    checkSeqs(findings, place, stored);
    checkContents(ledger, findings, place, expected, stored);
    checkOrder(ledger, findings, place, stored);
    if (!place.startsWith('log')) continue;
    for (const { id, seq } of stored) {
      const other = ids.get(id);
      if (other !== undefined) findings.add('doubled', `message_id ${id} is in ${other} and in ${place} at ${seq}`);
      ids.set(id, `${place} at ${seq}`);
    }
  }
  return messages;
}

function checkSeqs(findings: Findings, place: string, stored: Stored[]): void {
  let last = 0;
  for (const message of stored) {
    if (message === undefined) continue;
    if (message.seq !== last + 1) findings.add('gap', `${place}: seq ${message.seq} after ${last}`);
    last = message.seq;
  }
}

function checkContents(ledger: Ledger, findings: Findings, place: string, expected: Sent[], stored: Stored[]): void {
  const byToken = new Map<number | undefined, Stored[]>();
  for (const message of stored) byToken.set(message.token, [...(byToken.get(message.token) ?? []), message]);
  for (const sent of expected) {
    const copies = byToken.get(sent.n) ?? [];
    byToken.delete(sent.n);
    const [message] = copies;
    if (copies.length > 1) {
      const where = copies.map(({ seq, id }) => `${seq} (id ${id})`).join(', ');
      findings.add('doubled', `${name(sent)} in ${place} at ${where}`);
    }
    if (message) checkNumbers(ledger, findings, place, sent, message);
    else if (ledger.isPromised(sent)) findings.add('lost', `${name(sent)} is not in ${place}`);
  }
  for (const [token, messages] of byToken) {
    findings.add('unexpected', `${place}: n${token} at ${messages.map(({ seq }) => seq).join(', ')}`);
  }
}

/** Checks that message_id and seq are the ones that were answered. */
function checkNumbers(ledger: Ledger, findings: Findings, place: string, sent: Sent, { id, seq }: Stored): void {
  if (!ledger.isUnharmed(sent) || sent.order === 'many') return;
  for (const answer of sent.answers) {
    if (answer.messageId !== undefined && answer.messageId !== id) {
      findings.add('wrong answer', `${name(sent)}: message_id ${answer.messageId} answered, ${id} stored in ${place}`);
    }
    if (answer.seq !== undefined && answer.seq !== seq) {
      findings.add('wrong answer', `${name(sent)}: message_seq ${answer.seq} answered, ${seq} stored in ${place}`);
    }
  }
}

/** A sender sends one request at a time, so its messages with the same `order` keep the order of their numbers. */
function checkOrder(ledger: Ledger, findings: Findings, place: string, stored: Stored[]): void {
  const last = new Map<string, number>();
  for (const { token, seq } of stored) {
    const sent = token === undefined ? undefined : ledger.sent[token];
    if (!sent || !ledger.isUnharmed(sent)) continue;
    const key = `${sent.sender} ${sent.order}`;
    const before = last.get(key) ?? -1;
    if (sent.n < before) findings.add('misordered', `${place}: ${name(sent)} at ${seq} after n${before}`);
    last.set(key, Math.max(before, sent.n));
  }
}

const name = ({ n, sender, order, during, keyed, unknown }: Sent): string =>
  `n${n} (${sender}, ${order}, sent during ${during}${keyed ? '' : ' without a key'}, ${unknown} tries in doubt)`;
