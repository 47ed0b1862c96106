import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { BatchProgress, SendBatchAnswer } from '@ruyi/contracts';
import { startProcess, type TestProcess, tempDir, waitFor } from '@ruyi/testkit';
import { processSeconds } from '../busyCores.ts';
import { openHttp } from '../http.ts';
import type { CpuCosts } from './costs.ts';
import { aofBytes, dataBytes, type Nodes, startNodes } from './nodes.ts';

const app = (name: string) => fileURLToPath(new URL(`../../../apps/${name}/dist/main.js`, import.meta.url));

/** One API, one worker and one indexer (embedded engine) on so many masters. */
export interface MeasuredSystem {
  /** Posts the bodies, a few at a time, and waits until all recipients are stored and indexed. */
  broadcast(bodies: string[]): Promise<void>;
  /** Sends so many single messages over 64 connections, to as many groups, and waits until all are stored. */
  send(messages: number, payload: string): Promise<void>;
  /** What `work` used: CPU in seconds, memory of the data and AOF in bytes. */
  usedBy(work: () => Promise<unknown>): Promise<Used>;
  stop(): Promise<void>;
}

interface Used {
  cpu: CpuCosts;
  memory: number;
  aof: number;
}

const BATCH_CONNECTIONS = 4;
const GROUP_TYPE = 2;
const GROUPS = Array.from({ length: 64 }, (_, i) => `group-${i}`);
/** after it a process that does not end by itself is killed */
const END_MS = 30_000;

/** @param storedMs how long it may take until all of a broadcast() or send() is stored */
export async function startMeasuredSystem(masters: number, storedMs: number): Promise<MeasuredSystem> {
  const nodes = await startNodes(masters);
  const folder = tempDir('capacity');
  const env = { REDIS_URL: nodes.url, DATA_DIR: folder.path, PORT: '0', LOG_LEVEL: 'warn' };
  const indexer = await startProcess(app('indexer'), env);
  const worker = await startProcess(app('worker'), env);
  const api = await startProcess(app('api'), env);
  let sent = 0;
  const http = openHttp(String(api.details.address));
  return {
    async broadcast(bodies) {
      for (const { batch_no } of await http.postAll<SendBatchAnswer>('/message/sendbatch', bodies, BATCH_CONNECTIONS)) {
        const isFound = async () => {
          const { total, indexed, failed } = await http.get<BatchProgress>(`/message/sendbatch/${batch_no}`);
          if (failed > 0) throw new Error(`${failed} recipients of ${batch_no} failed`);
          return indexed === total;
        };
        await waitFor(isFound, { what: `batch ${batch_no}`, deadlineMs: storedMs, everyMs: 20 });
      }
    },
    async send(messages, payload) {
      const each = Math.ceil(messages / GROUPS.length);
      const bodies = Array.from({ length: each }, () => GROUPS.map((group) => sendBody(group, payload))).flat();
      await http.postAll('/message/send', bodies, GROUPS.length);
      sent += each;
      for (const group of GROUPS) {
        const isStored = async () => {
          const query = `channel_id=${group}&channel_type=${GROUP_TYPE}`;
          const answer = await http.get<{ message_seq: number }>(`/channel/max_message_seq?${query}`);
          return answer.message_seq === sent;
        };
        await waitFor(isStored, { what: `all messages of ${group}`, deadlineMs: storedMs, everyMs: 20 });
      }
    },
    async usedBy(work) {
      const before = await look({ nodes, api, worker, indexer });
      await work();
      const after = await look({ nodes, api, worker, indexer });
      const part = (name: keyof CpuCosts) => after.cpu[name] - before.cpu[name];
      const cpu = { api: part('api'), worker: part('worker'), redis: part('redis'), indexer: part('indexer') };
      return { cpu, memory: after.memory - before.memory, aof: after.aof - before.aof };
    },
    async stop() {
      await http.close();
      const ends = await Promise.all(Object.entries({ api, worker, indexer }).map(([name, one]) => end(name, one)));
      await nodes.stop();
      folder.remove();
      const late = ends.filter((text) => text !== undefined);
      if (late.length > 0) throw new Error(late.join('\n'));
    },
  };
}

/** @returns what to say of a process that did not end by itself */
async function end(name: string, one: TestProcess): Promise<string | undefined> {
  const ended = await Promise.race([one.kill('SIGTERM'), pause(END_MS, undefined, { ref: false })]);
  if (ended !== undefined) return undefined;
  await one.kill('SIGKILL');
  return `the ${name} did not end within ${END_MS} ms of SIGTERM; it said:\n${one.output}`;
}

interface Parts {
  nodes: Nodes;
  api: TestProcess;
  worker: TestProcess;
  indexer: TestProcess;
}

async function look({ nodes, api, worker, indexer }: Parts): Promise<Used> {
  const redis = nodes.masters.reduce((sum, { pid }) => sum + processSeconds(pid), 0);
  const [apiCpu, workerCpu, indexerCpu] = [api, worker, indexer].map(({ pid }) => processSeconds(pid));
  const cpu = { api: apiCpu ?? 0, worker: workerCpu ?? 0, indexer: indexerCpu ?? 0, redis };
  return { cpu, memory: await dataBytes(nodes), aof: await aofBytes(nodes) };
}

const sendBody = (group: string, payload: string) =>
  JSON.stringify({ from_uid: 'sender', channel_id: group, channel_type: GROUP_TYPE, payload });
