import { setTimeout as pause } from 'node:timers/promises';
import type { MessageSyncAnswer, SendAnswer } from '@ruyi/contracts';
import type { Line } from '../report.ts';
import { quantile, summarize } from '../statistics.ts';
import { payloadOf, startSystem } from '../system.ts';
import type { Scale } from './index.ts';

const CHANNELS = 50;

/** Time from the answer of a send to the moment at which a read shows it, at a steady pace. */
export async function latency(scale: Scale): Promise<Line[]> {
  const seconds = scale.tiny ? 1 : 8;
  const perSecond = scale.tiny ? 50 : 1000;
  const p99s: number[] = [];
  const p50s: number[] = [];
  const reached: number[] = [];
  const system = await startSystem();
  try {
    for (let round = 0; round < scale.rounds; round++) {
      const readable: number[] = [];
      const sends: Promise<void>[] = [];
      const begun = performance.now();
      for (let i = 0; i < seconds * perSecond; i++) {
        const channel = { channel_id: `g${i % CHANNELS}`, channel_type: 2 };
        const watched = i % 20 === 0;
        const send = async () => {
          const { data } = await system.post<SendAnswer>('/message/send', {
            from_uid: 'u',
            payload: payloadOf(136),
            ...channel,
          });
          const answered = performance.now();
          while (watched) {
            const { messages } = await system.post<MessageSyncAnswer>('/channel/messagesync', {
              ...channel,
              limit: 30,
            });
            // Ids of one API rise, so a later one says that this one was there, though it may be out of sight by now.
            if (messages.some(({ message_id }) => message_id >= data.message_id)) break;
            await pause(1);
          }
          if (watched) readable.push(performance.now() - answered);
        };
        sends.push(send());
        const next = begun + ((i + 1) * 1000) / perSecond;
        if (next > performance.now()) await pause(next - performance.now());
      }
      await Promise.all(sends);
      reached.push((seconds * perSecond) / ((performance.now() - begun) / 1000));
      p99s.push(quantile(readable, 0.99));
      p50s.push(quantile(readable, 0.5));
    }
  } finally {
    await system.stop();
  }
  const value = summarize(p99s);
  const details = { 'p50 ms': summarize(p50s).median, 'sends/s reached': summarize(reached).median };
  return [
    {
      what: `send answered → readable, ${perSecond}/s, p99`,
      goal: '< 20 ms',
      value,
      unit: 'ms',
      met: value.median < 20,
      details,
    },
  ];
}
