import { setTimeout as pause } from 'node:timers/promises';
import { type Random, waitFor } from '@ruyi/testkit';
import type { LoadContext } from './sender.ts';

/** A command as its reader got it. */
export interface ReadCommand {
  seq: number;
  payload: string;
  id: number;
}

const PAGE = 20;
const PAUSE_MS = 200;
const ANSWER_DEADLINE_MS = 120_000;

/**
 * Reads and acknowledges one user's commands while the load runs, and checks that each comes once, in order, without a gap.
 * @returns the commands that were read and acknowledged; the rest is still in the inbox
 */
export async function runReader(context: LoadContext, uid: string, random: Random): Promise<ReadCommand[]> {
  const { http, findings, ledger } = context;
  const read: ReadCommand[] = [];
  const call = (path: string, body: object) =>
    waitFor(
      async () => {
        const [first = 0, ...others] = context.ports();
        const reply = await http.call(random.pick([first, ...others]), 'POST', path, body);
        return reply.status === 200 ? reply : undefined;
      },
      { what: `${path} of ${uid}`, deadlineMs: ANSWER_DEADLINE_MS, everyMs: 100 },
    );
  while (!context.stop.aborted) {
    const { body } = await call('/message/sync', { uid, limit: PAGE });
    const commands: ReadCommand[] = body.map(
      (command: { message_seq: number; payload: string; message_id: number }) => ({
        seq: command.message_seq,
        payload: command.payload,
        id: command.message_id,
      }),
    );
    const last = commands.at(-1);
    if (last) {
      await call('/message/syncack', { uid, last_message_seq: last.seq });
      const expected = (read.at(-1)?.seq ?? 0) + 1;
      // After a power failure the cursor may be an older one.
      if (commands[0]?.seq !== expected && ledger.lossWindows.length === 0) {
        findings.add('misordered', `${uid} read command ${commands[0]?.seq} where ${expected} was next`);
      }
      for (const command of commands) read[command.seq - 1] = command;
    }
    await pause(random.whole(0, PAUSE_MS));
  }
  return read;
}
