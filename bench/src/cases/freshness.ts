import { setTimeout as pause } from 'node:timers/promises';
import type { SendAnswer } from '@ruyi/contracts';
import { roundsOf } from '../progress.ts';
import type { Line } from '../report.ts';
import type { Scale } from '../scale.ts';
import { quantile, summarize } from '../statistics.ts';
import { type System, startSystem } from '../system.ts';

const PER_SECOND = 10;
const SENDER = 'u1';

/** Sends messages at a steady rate, each with a word of its own. @returns ms from each answer until a search finds the message */
async function timesToFind(system: System, seconds: number, round: string): Promise<number[]> {
  const times: number[] = [];
  const sends: Promise<void>[] = [];
  const begun = performance.now();
  const send = async (i: number) => {
    const word = `word${round}x${i}y`;
    const payload = Buffer.from(JSON.stringify({ type: 1, content: word })).toString('base64');
    await system.post<SendAnswer>('/message/send', { from_uid: SENDER, channel_id: 'u2', channel_type: 1, payload });
    const answered = performance.now();
    while (!(await isFound(system, word))) await pause(1);
    times.push(performance.now() - answered);
  };
  for (let i = 0; i < seconds * PER_SECOND; i++) {
    sends.push(send(i));
    await pause(Math.max(0, begun + ((i + 1) * 1000) / PER_SECOND - performance.now()));
  }
  await Promise.all(sends);
  return times;
}

async function isFound(system: System, word: string): Promise<boolean> {
  const question = { uid: SENDER, payload: { content: word } };
  return (await system.post<{ total: number }>('/plugins/wk.plugin.search/usersearch', question)).total > 0;
}

/** Time from the answer to a send until a search finds the message, at 10 messages a second. */
export async function freshness(scale: Scale): Promise<Line[]> {
  const system = await startSystem({ indexer: true });
  const [p50s, p99s]: [number[], number[]] = [[], []];
  try {
    await timesToFind(system, scale.tiny ? 0.1 : 2, 'warmup');
    for (const round of roundsOf('freshness', scale.rounds)) {
      const times = await timesToFind(system, scale.tiny ? 1 : 10, String(round));
      p50s.push(quantile(times, 0.5));
      p99s.push(quantile(times, 0.99));
    }
  } finally {
    await system.stop();
  }
  const value = summarize(p50s);
  const details = { 'p99 ms': summarize(p99s).median };
  return [
    {
      what: `send answered → found, ${PER_SECOND}/s, p50`,
      goal: '< 100 ms',
      value,
      unit: 'ms',
      met: value.median < 100,
      details,
    },
  ];
}
