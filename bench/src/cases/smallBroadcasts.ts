import type { BroadcastAnswer } from '@ruyi/contracts';
import { waitFor } from '@ruyi/testkit';
import { type Used, usedBy } from '../costs.ts';
import { roundsOf } from '../progress.ts';
import type { Line } from '../report.ts';
import type { Scale } from '../scale.ts';
import { summarize } from '../statistics.ts';
import { batchBodies, broadcast, payloadOf, type System, startSystem, timed } from '../system.ts';

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
    const fields = { from_uid: 'small', payload: payloadOf(136) };
    const { broadcast_no: no } = await system.post<BroadcastAnswer>('/broadcasts', fields);
    const body = Array.from({ length: RECIPIENTS }, (_, n) => `user_${i * RECIPIENTS + n}`).join('\n');
    const answer = await fetch(`${system.address}/broadcasts/${no}/recipients/0`, { method: 'PUT', body });
    if (answer.status !== 200) throw new Error(`upload: ${answer.status} ${await answer.text()}`);
    await answer.arrayBuffer();
    nos.push(no);
  }
  return nos;
}

/** Starts them, and resolves when all have ended. */
async function start(system: System, nos: string[]): Promise<void> {
  const rest = nos.values();
  const starter = async () => {
    for (const no of rest) await system.post(`/broadcasts/${no}/start`, {});
  };
  await Promise.all(Array.from({ length: AT_ONCE }, starter));
  for (const no of nos) {
    const isDone = async () => {
      const { state, stored } = await system.get<BroadcastAnswer>(`/broadcasts/${no}`);
      return state === 'done' && stored === RECIPIENTS;
    };
    await waitFor(isDone, { what: `broadcast ${no}`, deadlineMs: 300_000, everyMs: 10 });
  }
}

/** On a Redis of its own. */
async function measured(prepare: (system: System) => Promise<() => Promise<void>>): Promise<Side> {
  const system = await startSystem();
  try {
    await broadcast(system, batchBodies('warmup', 2, RECIPIENTS));
    const work = await prepare(system);
    const { used, result } = await usedBy(system, () => timed(work));
    return { seconds: result, used };
  } finally {
    await system.stop();
  }
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
