import type { BatchProgress } from '@ruyi/contracts';
import { waitFor } from '@ruyi/testkit';
import type { Findings } from '../findings.ts';
import type { Ledger } from '../ledger/ledger.ts';
import { type Asking, ask } from './readBack.ts';

const INDEXED_DEADLINE_MS = 120_000;

/** Checks the progress of every batch: all stored, none failed, done, and one batch_no however often it was sent. */
export async function checkBatches(asking: Asking, ledger: Ledger, findings: Findings): Promise<number> {
  const batches = ledger.sent.filter((sent) => sent.batchSize > 0 && ledger.isUnharmed(sent));
  for (const { n, answers, batchSize, isCommand } of batches) {
    const [batchNo = '', ...others] = new Set(answers.map((answer) => answer.batchNo ?? ''));
    if (others.length > 0) findings.add('wrong answer', `n${n}: batches ${[batchNo, ...others].join(', ')} for one`);
    const read = async () => (await ask(asking, 'GET', `/message/sendbatch/${batchNo}`)).body as BatchProgress;
    const indexed = isCommand ? 0 : batchSize;
    let progress = await read();
    if (progress.indexed !== indexed) {
      // The index may lag, but not for ever.
      const options = { what: `the index to hold batch ${batchNo}`, deadlineMs: INDEXED_DEADLINE_MS, everyMs: 200 };
      await waitFor(async () => (await read()).indexed === indexed, options).catch(() => {});
      progress = await read();
    }
    const { total, stored, failed, state } = progress;
    const isExact = total === batchSize && stored === batchSize && failed === 0 && state === 'done';
    if (!isExact || progress.indexed !== indexed) {
      findings.add('batch progress', `n${n}, ${batchSize} recipients: ${JSON.stringify(progress)}`);
    }
  }
  return batches.length;
}
