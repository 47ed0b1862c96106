import type { BroadcastAnswer } from '@ruyi/contracts';
import { waitFor } from '@ruyi/testkit';
import { batchBodies, broadcast, payloadOf, type System, startSystem } from './system.ts';

/** Recipients of a batch. */
export const BATCH = 10_000;

/** On a Redis of its own, whose processes have sent something already. */
export async function onNewSystem<T>(work: (system: System) => Promise<T>): Promise<T> {
  const system = await startSystem();
  try {
    await broadcast(system, batchBodies('warmup', 2, BATCH));
    return await work(system);
  } finally {
    await system.stop();
  }
}

/** @returns its number */
export async function createBroadcast(system: System, from: string): Promise<string> {
  const fields = { from_uid: from, payload: payloadOf(136) };
  return (await system.post<BroadcastAnswer>('/broadcasts', fields)).broadcast_no;
}

export async function startBroadcast(system: System, no: string): Promise<void> {
  await system.post(`/broadcasts/${no}/start`, {});
}

/** Resolves when every recipient has it. */
export async function untilStored(system: System, no: string, total: number): Promise<void> {
  const isDone = async () => {
    const { state, stored } = await system.get<BroadcastAnswer>(`/broadcasts/${no}`);
    return state === 'done' && stored === total;
  };
  await waitFor(isDone, { what: `broadcast ${no}`, deadlineMs: 600_000, everyMs: 10 });
}
