import { setTimeout as pause } from 'node:timers/promises';
import type { MessageSyncAnswer, SendAnswer } from '@ruyi/contracts';
import { BusyCores } from '../busyCores.ts';
import { roundsOf } from '../progress.ts';
import type { Line } from '../report.ts';
import type { Scale } from '../scale.ts';
import { quantile, summarize } from '../statistics.ts';
import { payloadOf, type System, startSystem } from '../system.ts';

const CHANNELS = 50;
const WATCHED_EVERY = 20;
const PAYLOAD = payloadOf(136);

interface Pace {
  perSecond: number;
  seconds: number;
}

/** Sends at a steady rate. @returns ms from answer to readable of the watched messages, and the rate that was reached */
async function steadySends(system: System, { perSecond, seconds }: Pace) {
  const readable: number[] = [];
  const sends: Promise<void>[] = [];
  const begun = performance.now();
  const send = async (i: number) => {
    const channel = { channel_id: `g${i % CHANNELS}`, channel_type: 2 };
    const message = { from_uid: 'u', payload: PAYLOAD, ...channel };
    const { data } = await system.post<SendAnswer>('/message/send', message);
    if (i % WATCHED_EVERY !== 0) return;
    const answered = performance.now();
    while (!(await isReadable(system, channel, data.message_id))) await pause(1);
    readable.push(performance.now() - answered);
  };
  for (let i = 0; i < seconds * perSecond; i++) {
    sends.push(send(i));
    const next = begun + ((i + 1) * 1000) / perSecond;
    if (next > performance.now()) await pause(next - performance.now());
  }
  await Promise.all(sends);
  return { readable, reached: (seconds * perSecond) / ((performance.now() - begun) / 1000) };
}

/** The ids of one API rise, so a later id means that this message has been there, even if it is no longer on the page. */
async function isReadable(system: System, channel: object, id: number): Promise<boolean> {
  const { messages } = await system.post<MessageSyncAnswer>('/channel/messagesync', { ...channel, limit: 30 });
  return messages.some(({ message_id }) => message_id >= id);
}

/** Time from the answer to a send until a read returns the message, at a steady rate. */
export async function latency(scale: Scale): Promise<Line[]> {
  const pace = scale.tiny ? { perSecond: 50, seconds: 1 } : { perSecond: 1000, seconds: 8 };
  const p99s: number[] = [];
  const p50s: number[] = [];
  const paces: number[] = [];
  const busy = new BusyCores();
  const system = await startSystem();
  try {
    await steadySends(system, { ...pace, seconds: 1 });
    for (const _round of roundsOf('latency', scale.rounds)) {
      const { readable, reached } = await busy.during(system, () => steadySends(system, pace));
      paces.push(reached);
      p99s.push(quantile(readable, 0.99));
      p50s.push(quantile(readable, 0.5));
    }
  } finally {
    await system.stop();
  }
  const value = summarize(p99s);
  const details = {
    'p50 ms': summarize(p50s).median,
    'sends/s reached': summarize(paces).median,
    ...busy.details(),
  };
  return [
    {
      what: `send answered → readable, ${pace.perSecond}/s, p99`,
      goal: '< 20 ms',
      value,
      unit: 'ms',
      met: value.median < 20,
      details,
    },
  ];
}
