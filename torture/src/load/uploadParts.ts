import type { Random } from '@ruyi/testkit';
import { type PartDraft, packed, shuffled } from './broadcastDrafts.ts';
import type { BroadcastRun } from './broadcastRun.ts';
import type { Reply } from './http.ts';

const CUT_SHARE = 0.2;
const AGAIN_SHARE = 0.2;
const TWICE_SHARE = 0.1;
const OTHER_SHARE = 0.05;

/** Uploads the parts of a broadcast: some are cut first, some come twice or once more, some with other bytes. */
export async function uploadParts(run: BroadcastRun, parts: PartDraft[], random: Random): Promise<void> {
  for (const draft of parts) {
    if (random.next() < CUT_SHARE) await cutUpload(run, draft, random);
    const times = random.next() < TWICE_SHARE ? 2 : 1;
    await Promise.all(Array.from({ length: times }, () => upload(run, draft)));
    if (random.next() < OTHER_SHARE) await uploadOthers(run, draft, random);
  }
  for (const draft of shuffled(random, parts)) if (random.next() < AGAIN_SHARE) await upload(run, draft);
}

async function upload(run: BroadcastRun, { part, bytes, headers, answer }: PartDraft): Promise<void> {
  const reply = await run.uploadPart(part, bytes, headers);
  if (!reply) return;
  const { accepted, duplicates, invalid_count } = reply.body;
  const isRight = reply.status === 200 && sameCounts(answer, { accepted, duplicates, invalid_count });
  // A power failure may have taken the part, before the same number brought other bytes.
  if (!isRight && !(run.isHarmed && reply.status === 409)) wrong(run, part, reply, `not ${JSON.stringify(answer)}`);
}

const sameCounts = (one: PartDraft['answer'], other: PartDraft['answer']): boolean =>
  one.accepted === other.accepted && one.duplicates === other.duplicates && one.invalid_count === other.invalid_count;

/** Ends the connection before the last byte: this must leave nothing. */
async function cutUpload({ context, broadcast }: BroadcastRun, { part, bytes, headers }: PartDraft, random: Random) {
  const [port = 0] = context.ports();
  const path = `/broadcasts/${broadcast.no}/recipients/${part}`;
  const options = { headers, cutAt: random.whole(0, bytes.length - 1) };
  await context.http.call(port, 'PUT', path, bytes, options).catch(() => {});
}

/** The same recipients and empty lines are other bytes, also where there is no recipient. */
async function uploadOthers(run: BroadcastRun, { part, lines }: PartDraft, random: Random): Promise<void> {
  const { bytes, headers } = packed(random, [...lines, '', '']);
  const reply = await run.uploadPart(part, bytes, headers);
  const isRight = reply?.status === 409 && reply.body.code === 'idempotency_conflict';
  // A power failure may have taken the part. Then these are its bytes.
  if (reply && !isRight && !run.isHarmed) wrong(run, part, reply, 'not 409');
}

function wrong(run: BroadcastRun, part: number, { status, body }: Reply, what: string): void {
  run.found('wrong answer', `part ${part}: ${status} ${JSON.stringify(body).slice(0, 300)}, ${what}`);
}
