import { parentPort, workerData } from 'node:worker_threads';
import { putPart } from './putPart.ts';

/** Puts the parts of a list, two at a time, in a thread of its own: what sends meanwhile must not wait for it. */

export interface UploadPlan {
  /** of the API */
  address: string;
  uids: number;
  parts: number;
}

const { address, uids, parts }: UploadPlan = workerData;

/** Bodies of parts with `user_0` …, made before the measurement starts. */
function partBodies(): Buffer[] {
  const size = Math.ceil(uids / parts);
  return Array.from({ length: parts }, (_, part) => {
    const lines: string[] = [];
    for (let i = part * size; i < Math.min(uids, (part + 1) * size); i++) lines.push(`user_${i}`);
    return Buffer.from(lines.join('\n'));
  });
}

async function upload(no: string, bodies: Buffer[]): Promise<void> {
  const rest = bodies.entries();
  const uploader = async () => {
    for (const [part, body] of rest) {
      await putPart(address, no, part, body);
    }
  };
  await Promise.all([uploader(), uploader()]);
}

const bodies = partBodies();
parentPort?.once('message', async (no: string) => {
  await upload(no, bodies);
  parentPort?.postMessage('uploaded');
});
parentPort?.postMessage('ready');
