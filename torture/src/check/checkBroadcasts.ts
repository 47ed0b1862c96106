import type { BroadcastAnswer } from '@ruyi/contracts';
import { waitFor } from '@ruyi/testkit';
import type { FindingKind, Findings } from '../findings.ts';
import type { Ledger } from '../ledger/ledger.ts';
import type { SentBroadcast } from '../ledger/sentBroadcast.ts';
import { type Asking, ask, type Stored } from './readBack.ts';

const INDEXED_DEADLINE_MS = 120_000;

interface Checking {
  asking: Asking;
  ledger: Ledger;
  findings: Findings;
  /** how many copies of the message with this token there are, in all places */
  copies: Map<number | undefined, number>;
}

/**
 * Checks each broadcast: it has ended, it adds up, as many have its message as it says, and nothing came after its end. One
 * that everybody must have is answered in the ledger from here on, so that checkPlaces misses whoever has it not.
 * @returns how many there were
 */
export async function checkBroadcasts(
  asking: Asking,
  ledger: Ledger,
  findings: Findings,
  found: Map<string, Stored[]>,
): Promise<number> {
  const copies: Checking['copies'] = new Map();
  for (const { token } of [...found.values()].flat()) copies.set(token, (copies.get(token) ?? 0) + 1);
  const checking = { asking, ledger, findings, copies };
  for (const broadcast of ledger.broadcasts) await checkBroadcast(checking, broadcast);
  for (const sender of new Set(ledger.broadcasts.map(({ sent }) => sent.sender))) await checkList(checking, sender);
  return ledger.broadcasts.length;
}

const isHarmed = (ledger: Ledger, { answeredAt }: SentBroadcast) => answeredAt.some((at) => ledger.isExcused(at));

async function checkBroadcast({ asking, ledger, findings, copies }: Checking, broadcast: SentBroadcast): Promise<void> {
  const { sent, no, isCancelled } = broadcast;
  if (no === undefined) return;
  const harmed = isHarmed(ledger, broadcast);
  const finding = (kind: FindingKind, what: string) =>
    findings.add(kind, `broadcast ${no} (n${sent.n}, during ${sent.during}${harmed ? ', harmed' : ''}): ${what}`);
  const { status, body } = await ask(asking, 'GET', `/broadcasts/${no}`);
  if (status !== 200) {
    if (!harmed) finding('lost', `its report is ${status}`);
    return;
  }
  const report: BroadcastAnswer = body;
  const { accepted, duplicates, total, stored, failed, cancelled } = report;
  const text = JSON.stringify(report);
  if (report.finished_at === 0) return finding('stuck', text);
  const addsUp = accepted === duplicates + stored + failed + cancelled && total === accepted - duplicates;
  if (!addsUp || failed > 0) finding('batch progress', text);
  const here = copies.get(sent.n) ?? 0;
  if (here !== stored) finding(here < stored ? 'lost' : 'unexpected', `${here} have it, ${stored} are stored: ${text}`);
  if (!harmed && isOther(report, broadcast)) {
    const { expected, end } = broadcast;
    finding('batch progress', `${text}; expected ${JSON.stringify(expected)}, at its end ${JSON.stringify(end)}`);
  }
  if (!harmed && !isCancelled && report.state === 'done') ledger.answer(sent, { at: performance.now() });
  if (!harmed && !(await isIndexed(asking, broadcast, report))) finding('search', `its index is behind: ${text}`);
}

/** Whether it came to something else than it must, or has changed since it ended. */
function isOther(report: BroadcastAnswer, { expected, end, isCancelled }: SentBroadcast): boolean {
  const { accepted, invalid, total, state, stored } = report;
  const isWhole = accepted === expected.accepted && invalid === expected.invalid;
  // An audience that is not gathered yet is nobody.
  const isRight = isCancelled
    ? state === 'cancelled' && (isWhole || accepted === 0)
    : state === 'done' && isWhole && total === expected.total && stored === total;
  return !isRight || end?.stored !== stored || end.cancelled !== report.cancelled || end.state !== state;
}

/** The index may lag, but not for ever. */
async function isIndexed(asking: Asking, { no, sent }: SentBroadcast, { stored, indexed }: BroadcastAnswer) {
  const expected = sent.isCommand ? 0 : stored;
  if (indexed === expected) return true;
  const look = async () => (await ask(asking, 'GET', `/broadcasts/${no}`)).body.indexed === expected;
  return waitFor(look, { deadlineMs: INDEXED_DEADLINE_MS, everyMs: 200 }).catch(() => false);
}

/** The list has each of them once. */
async function checkList({ asking, ledger, findings }: Checking, sender: string): Promise<void> {
  const listed: string[] = [];
  for (let cursor = ''; ; ) {
    const { body } = await ask(asking, 'GET', `/broadcasts?from_uid=${sender}&limit=100&cursor=${cursor}`);
    listed.push(...body.broadcasts.map((broadcast: BroadcastAnswer) => broadcast.broadcast_no));
    ({ cursor } = body);
    if (cursor === '') break;
  }
  const sent = ledger.broadcasts.filter((broadcast) => broadcast.sent.sender === sender);
  const missing = sent.filter((one) => one.no && !listed.includes(one.no) && !isHarmed(ledger, one));
  const others = listed.filter((no, i) => listed.indexOf(no) !== i || !sent.some((one) => one.no === no));
  if (missing.length > 0) findings.add('lost', `not in the list: ${missing.map(({ no }) => no).join(', ')}`);
  if (others.length > 0) findings.add('unexpected', `in the list: ${others.join(', ')}`);
}
