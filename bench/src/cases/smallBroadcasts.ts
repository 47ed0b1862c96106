import { createBroadcast, onNewSystem, startBroadcast, untilStored } from '../broadcasting.ts';
import { type Used, usedBy } from '../costs.ts';
import { roundsOf } from '../progress.ts';
import { putPart } from '../putPart.ts';
import type { Line } from '../report.ts';
import type { Scale } from '../scale.ts';
import { summarize } from '../statistics.ts';
import { batchBodies, broadcast, type System, timed } from '../system.ts';

const RECIPIENTS = 1000;
const AT_ONCE = 4;

interface Side {
  seconds: number;
  used: Used;
}

/** Broadcasts with recipients of their own, ready to be started. */
async function upload(system: System, count: number): Promise<string[]> {
  const nos: string[] = [];
  for (let i = 0; i < count; i++) {
    const no = await createBroadcast(system, 'small');
    const uids = Array.from({ length: RECIPIENTS }, (_, n) => `user_${i * RECIPIENTS + n}`);
    await putPart(system.address, no, 0, uids.join('\n'));
    nos.push(no);
  }
  return nos;
}

/** Starts them, and resolves when all have ended. */
async function start(system: System, nos: string[]): Promise<void> {
  const rest = nos.values();
  const starter = async () => {
    for (const no of rest) await startBroadcast(system, no);
  };
  await Promise.all(Array.from({ length: AT_ONCE }, starter));
  for (const no of nos) await untilStored(system, no, RECIPIENTS);
}

async function measured(prepare: (system: System) => Promise<() => Promise<void>>): Promise<Side> {
  return onNewSystem(async (system) => {
    const work = await prepare(system);
    const { used, result } = await usedBy(system, () => timed(work));
    return { seconds: result, used };
  });
}

/** Many small broadcasts that are started together, from start to stored, compared with as many requests to sendbatch. */
export async function smallBroadcasts(scale: Scale): Promise<Line[]> {
  const count = scale.tiny ? 4 : 50;
  const ours: Side[] = [];
  const theirs: Side[] = [];
  for (const _round of roundsOf('small broadcasts', scale.rounds)) {
    theirs.push(
      await measured(async (system) => {
        const bodies = batchBodies('batches', count, RECIPIENTS);
        return () => broadcast(system, bodies, AT_ONCE);
      }),
    );
    ours.push(
      await measured(async (system) => {
        const nos = await upload(system, count);
        return () => start(system, nos);
      }),
    );
  }
  const value = summarize(ours.map(({ seconds }, i) => (theirs[i]?.seconds ?? 0) / seconds));
  const median = (sides: Side[], of: (side: Side) => number) => summarize(sides.map(of)).median / count;
  const cpu = ({ used }: Side) => 1000 * (used.api + used.workers + used.redis);
  return [
    {
      what: `${count} broadcasts of ${RECIPIENTS} started together, to sendbatch`,
      goal: '≥ 0.4 ×',
      value,
      unit: '×',
      met: value.median >= 0.4,
      details: {
        'ms each': median(ours, ({ seconds }) => 1000 * seconds),
        'sendbatch ms each': median(theirs, ({ seconds }) => 1000 * seconds),
        'CPU ms each': median(ours, cpu),
        'sendbatch CPU ms each': median(theirs, cpu),
        'jobs each': median(ours, ({ used }) => used.jobs),
        'commands each': median(ours, ({ used }) => used.commands),
      },
    },
  ];
}
