import { setTimeout as pause } from 'node:timers/promises';
import { payloadOf, type System } from './system.ts';

const PER_SECOND = 100;

/** In milliseconds. */
export interface Latencies {
  send: number[];
  read: number[];
  sync: number[];
}

/** Sends, reads and syncs at a steady rate until `until` resolves. @returns latencies in ms */
export async function steadyLoad(system: System, until: Promise<unknown>): Promise<Latencies> {
  const latencies: Latencies = { send: [], read: [], sync: [] };
  let running = true;
  void until.finally(() => {
    running = false;
  });
  const measure = async (into: number[], work: () => Promise<unknown>) => {
    const start = performance.now();
    await work();
    into.push(performance.now() - start);
  };
  const message = { from_uid: 'single', channel_id: 'pace', channel_type: 2, payload: payloadOf(136) };
  const requests: Promise<void>[] = [];
  const begun = performance.now();
  for (let i = 0; running; i++) {
    requests.push(measure(latencies.send, () => system.post('/message/send', message)));
    if (i % 4 === 0)
      requests.push(
        measure(latencies.read, () => system.post('/channel/messagesync', { channel_id: 'pace', channel_type: 2 })),
      );
    if (i % 4 === 2) requests.push(measure(latencies.sync, () => system.post('/message/sync', { uid: 'single' })));
    const next = begun + ((i + 1) * 1000) / PER_SECOND;
    await pause(Math.max(0, next - performance.now()));
  }
  await Promise.all(requests);
  return latencies;
}
